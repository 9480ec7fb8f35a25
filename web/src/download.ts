/** Saves *text* as the browser saves downloads. */
export function download(filename: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = filename;
  link.click();
  // The browser has taken the blob by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
