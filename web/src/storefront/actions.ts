import { Validator } from "@cfworker/json-schema";
import type { ClientAction } from "../contract";
import { daysUntil, weekday } from "../dates";
import { DEFINITIONS, type Action, type FillForm, type ShowOrder } from "./contract";

export type { Action };
export type ActionName = Action["action"];

/** A suggestion of the agent that this page knows. */
export interface Suggested extends Omit<ClientAction, "action"> {
  action: Action;
}

/** *action*, if it is one that the shop's agent may suggest; else null. */
export function known(action: ClientAction["action"]): Action | null {
  const schema = { $ref: "#/$defs/Action", $defs: DEFINITIONS };
  return new Validator(schema, "2020-12").validate(action).valid ? (action as Action) : null;
}

/** The parts of the page. */
export type Part = "conversation" | "orders" | "appointment";

export interface Appointment {
  kind: FillForm["kind"];
  /** As 2026-12-31. */
  day: string;
  /** As 15:30. */
  time: string;
}

/** What the agent's actions act on. */
export interface Board {
  part: Part;
  /** What a screen with room for two parts shows beside the conversation. */
  beside: Part | null;
  /** The latest first. */
  orders: readonly ShowOrder[];
  appointment: Appointment;
  /** Parts that changed since the person last looked. */
  news: readonly Part[];
}

export interface ActionsState {
  board: Board;
  /** What the caller is being asked, the oldest first. */
  asked: readonly Suggested[];
  /** What was done last, and how things were before. */
  done: { request: Suggested; before: Board } | null;
}

export type ActionEvent =
  | { type: "asked"; request: Suggested }
  | { type: "answered"; id: string }
  /** The agent no longer waits for answers. */
  | { type: "interrupted" }
  | { type: "done"; request: Suggested }
  | { type: "undone" }
  | { type: "noted" }
  | { type: "opened"; part: Part }
  /** News in *part* is on the screen. */
  | { type: "seen"; part: Part }
  | { type: "edited"; appointment: Appointment }
  | { type: "cleared" };

const BLANK: Appointment = { kind: "", day: "", time: "" };
const MAX_ORDERS = 20;

export const NOTHING_DONE: ActionsState = {
  board: { part: "conversation", beside: null, orders: [], appointment: BLANK, news: [] },
  asked: [],
  done: null,
};

export function actionsReducer(state: ActionsState, event: ActionEvent): ActionsState {
  const { board } = state;
  switch (event.type) {
    case "asked":
      return { ...state, asked: [...state.asked, event.request] };
    case "answered":
      return { ...state, asked: state.asked.filter(({ id }) => id !== event.id) };
    case "interrupted":
      return { ...state, asked: [] };
    case "done":
      return {
        ...state,
        board: after(board, event.request.action),
        done: { request: event.request, before: board },
      };
    case "undone":
      return state.done ? { ...state, board: state.done.before, done: null } : state;
    case "noted":
      return { ...state, done: null };
    case "opened":
      return { ...state, board: look(board, event.part) };
    case "seen":
      return { ...state, board: { ...board, news: without(board.news, event.part) } };
    case "edited":
      // Undoing the page's change would now undo the caller's own edits too.
      return { ...state, board: { ...board, appointment: event.appointment }, done: null };
    case "cleared":
      return NOTHING_DONE;
  }
}

/** Why an action that fits the contract is not done; null: it can be done. */
export function objection(action: Action): string | null {
  if (action.action !== "fill_form") return null;
  if (action.day !== "" && !isDay(action.day)) return "day is not a date such as 2026-12-31";
  if (action.time !== "" && !/^([01]\d|2[0-3]):[0-5]\d$/.test(action.time)) {
    return "time is not a time such as 15:30";
  }
  return null;
}

/** What the form asks the agent for, as a caller would say it; null while a field is empty. */
export function request({ kind, day, time }: Appointment): string | null {
  if (!kind || !day || !time) return null;
  const days = daysUntil(day);
  const when = days >= 1 && days <= 7 ? weekday(day) : day;
  return `Book a ${kind} on ${when} at ${time}`;
}

function after(board: Board, action: Action): Board {
  switch (action.action) {
    case "show_order": {
      const others = board.orders.filter(({ number }) => number !== action.number);
      return tellOf({ ...board, orders: [action, ...others].slice(0, MAX_ORDERS) }, "orders");
    }
    case "navigate":
      return look(board, action.to);
    case "fill_form": {
      const { kind, day, time } = board.appointment;
      const appointment = {
        kind: action.kind || kind,
        day: action.day || day,
        time: action.time || time,
      };
      return tellOf({ ...board, appointment }, "appointment");
    }
    case "offer_download":
      return board;
    case "start_over":
      return { ...NOTHING_DONE.board, part: board.part, beside: board.beside };
  }
}

function look(board: Board, part: Part): Board {
  const beside = part === "conversation" ? null : part;
  return { ...board, part, beside, news: without(board.news, part) };
}

/** Marks *part* as new, without leaving the part that the caller is in. */
function tellOf(board: Board, part: Part): Board {
  if (board.part === part) return board;
  const beside = board.part === "conversation" ? part : board.beside;
  return { ...board, beside, news: [...without(board.news, part), part] };
}

function without(news: readonly Part[], part: Part): readonly Part[] {
  return news.filter((other) => other !== part);
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
