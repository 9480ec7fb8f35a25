/** Whether moving the focus would disturb nobody. */
export function isFocusIdle(): boolean {
  const { activeElement } = document;
  return (
    activeElement === null || activeElement === document.body || activeElement.id === "screen-title"
  );
}
