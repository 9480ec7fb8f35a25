import { setLogLevel } from "livekit-client";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./components/App";
import { config } from "./config";
import { loadWords, words } from "./words";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/screens.css";
import "./styles/conversation.css";
import "./styles/parts.css";

// LiveKit's messages at INFO name rooms and participants.
setLogLevel("warn");
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");
await loadWords();
document.title = `${words.name} · ${config.productName}`;
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
