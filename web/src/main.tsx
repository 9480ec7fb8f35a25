import { setLogLevel } from "livekit-client";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./components/App";
import { config } from "./config";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/screens.css";
import "./styles/conversation.css";
import "./styles/parts.css";

// LiveKit's messages at INFO name rooms and participants.
setLogLevel("warn");
document.title = `${config.shopName} · ${config.productName}`;

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
