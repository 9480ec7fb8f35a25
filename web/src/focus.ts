/** Whether nothing would be lost if the focus moved on from where it is. */
export function isFocusIdle(): boolean {
  const { activeElement } = document;
  return (
    activeElement === null || activeElement === document.body || activeElement.id === "screen-title"
  );
}
