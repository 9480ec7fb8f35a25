import type { ReactNode } from "react";

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const HANDSET =
  "M6.6 3.5h2.2c.5 0 .9.3 1 .8l.9 3.3c.1.4 0 .8-.3 1.1L8.7 10.4a12.5 12.5 0 0 0 4.9 4.9l1.7-1.7c.3-.3.7-.4 1.1-.3l3.3.9c.5.1.8.5.8 1v2.2c0 1.7-1.4 3.1-3.1 3.1C9.6 20.5 3.5 14.4 3.5 6.6c0-1.7 1.4-3.1 3.1-3.1Z";

export const PhoneIcon = () => (
  <Icon>
    <path d={HANDSET} />
  </Icon>
);

export const HangUpIcon = () => (
  <Icon>
    <path d={HANDSET} transform="rotate(135 12 12)" />
  </Icon>
);

export const MicrophoneIcon = ({ off = false }: { off?: boolean }) => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
    {off && <path d="M4 4l16 16" />}
  </Icon>
);

export const SlidersIcon = () => (
  <Icon>
    <path d="M4 8h9M19 8h1M4 16h1M11 16h9" />
    <circle cx="16" cy="8" r="2.5" />
    <circle cx="8" cy="16" r="2.5" />
  </Icon>
);

export const KeyboardIcon = () => (
  <Icon>
    <rect x="3" y="6" width="18" height="12" rx="2.5" />
    <path d="M7 10h.01M12 10h.01M17 10h.01M8 14h8" />
  </Icon>
);

export const SendIcon = () => (
  <Icon>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
);

export const SpeakerIcon = () => (
  <Icon>
    <path d="M4 10v4h3.5L12 18V6L7.5 10H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" />
  </Icon>
);

export const WarningIcon = () => (
  <Icon>
    <path d="M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17h.01" />
  </Icon>
);

export const CheckIcon = () => (
  <Icon>
    <path d="M5 12.5 10 17.5 19.5 7" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6 6 18" />
  </Icon>
);

export const ClockIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7.5V12l3 2" />
  </Icon>
);

export const QuestionIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.3c-.7.3-1.1.9-1.1 1.7M12 16.5h.01" />
  </Icon>
);

export const FileIcon = () => (
  <Icon>
    <path d="M13.5 3.5H7A1.5 1.5 0 0 0 5.5 5v14A1.5 1.5 0 0 0 7 20.5h10a1.5 1.5 0 0 0 1.5-1.5V8.5l-5-5ZM13.5 3.5v5h5M12 11.5v5M9.8 14.5l2.2 2.2 2.2-2.2" />
  </Icon>
);

export const Logo = () => (
  <svg className="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="9" />
    <path d="M8 13.5v5M12 10v12M16 13v6M20 8.5v15M24 13.5v5" />
  </svg>
);
