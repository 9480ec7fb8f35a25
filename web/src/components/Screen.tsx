import { useLayoutEffect, useRef, type ReactNode } from "react";

/** A screen with a heading that takes the focus when the screen appears. */
export function Screen(props: {
  title: string;
  className: string;
  /** Leave the focus where it is. */
  quiet?: boolean;
  children: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  const quiet = props.quiet ?? false;
  // In a layout effect: what is inside may want the focus more, and asks for it later.
  useLayoutEffect(() => {
    if (!quiet) heading.current?.focus();
  }, [quiet]);
  return (
    <section className={`screen ${props.className}`} aria-labelledby="screen-title">
      <h2 id="screen-title" ref={heading} tabIndex={-1}>
        {props.title}
      </h2>
      {props.children}
    </section>
  );
}
