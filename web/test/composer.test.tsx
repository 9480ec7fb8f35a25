import type { ReactElement, ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, expect, test, vi } from "vitest";
import { Composer } from "../src/components/Composer";

const nothing = () => undefined;

afterEach(() => vi.unstubAllGlobals());

type Props = Record<string, unknown> & { children?: ReactNode };

/** The composer as a page that is opened now shows it: the properties of the first *tag* in it. */
function composer(tag: string, onSend: (text: string) => void = nothing): Props {
  let shown: ReactNode = null;
  const Page = () => {
    shown = Composer({ disabled: false, focused: false, onSend, onTyping: nothing });
    return shown;
  };
  renderToStaticMarkup(<Page />);
  const find = (node: ReactNode): Props | undefined => {
    if (Array.isArray(node)) return node.map(find).find((found) => found);
    if (typeof node !== "object" || node === null) return undefined;
    const { type, props } = node as ReactElement<Props>;
    return type === tag ? props : find(props.children);
  };
  const found = find(shown);
  if (!found) throw new Error(`no ${tag}`);
  return found;
}

test("what is written is in the box again after a reload, until it is sent", () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  const sent: string[] = [];
  const write = composer("input").onChange as (event: unknown) => void;
  write({ target: { value: "where is order" } });
  expect(composer("input").value).toBe("where is order");
  const submit = composer("form", (text) => sent.push(text)).onSubmit as (event: unknown) => void;
  submit({ preventDefault: nothing });
  expect(sent).toEqual(["where is order"]);
  expect(composer("input").value).toBe("");
});
