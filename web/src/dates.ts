const DAY = new Intl.DateTimeFormat("en", { weekday: "long", month: "long", day: "numeric" });
const MOMENT = new Intl.DateTimeFormat("en", {
  weekday: "long",
  hour: "numeric",
  minute: "2-digit",
});

const WEEKDAY = new Intl.DateTimeFormat("en", { weekday: "long" });
const DAY_MS = 86_400_000;

/** A date as 2026-12-31 in words; anything else as it is. */
export function inWords(day: string): string {
  const date = noon(day);
  return Number.isNaN(date.getTime()) ? day : DAY.format(date);
}

/** The weekday of a date as 2026-12-31. */
export function weekday(day: string): string {
  return WEEKDAY.format(noon(day));
}

/** The number of days from today to a date as 2026-12-31. */
export function daysUntil(day: string): number {
  const today = new Date();
  today.setHours(12, 0, 0, 0);
  return Math.round((noon(day).getTime() - today.getTime()) / DAY_MS);
}

/** At noon no clock change moves it to another day. */
function noon(day: string): Date {
  return new Date(`${day}T12:00:00`);
}

/** The weekday and time that it will be in *delayMs*. */
export function momentIn(delayMs: number): string {
  return MOMENT.format(new Date(Date.now() + delayMs));
}

/** Minutes and seconds, as `4:07`; from an hour on with the hours, as `1:04:07`. */
export function clock(durationMs: number): string {
  const totalS = Math.floor(durationMs / 1_000);
  const hours = Math.floor(totalS / 3_600);
  const minutes = Math.floor(totalS / 60) % 60;
  const seconds = String(totalS % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}`
    : `${minutes}:${seconds}`;
}

/** The time left, as `clock`: `0:00` only when there is none. */
export function countdown(leftMs: number): string {
  return clock(Math.ceil(leftMs / 1_000) * 1_000);
}
