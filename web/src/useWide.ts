import { useSyncExternalStore } from "react";

/** As in conversation.css: from here on two parts of the page stand side by side. */
const WIDE = "(min-width: 1080px)";

export function useWide(): boolean {
  return useSyncExternalStore(
    (changed) => {
      const query = matchMedia(WIDE);
      query.addEventListener("change", changed);
      return () => query.removeEventListener("change", changed);
    },
    () => matchMedia(WIDE).matches,
    () => true,
  );
}
