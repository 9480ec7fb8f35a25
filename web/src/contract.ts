// Generated from voice_contract by "npm run contract". Do not edit.

export const ACTION_OUTCOME_METHOD = "parley.action_outcome";
export const AGENT_IDENTITY_PREFIX = "agent-";
export const CALLER_STATE_METHOD = "parley.caller_state";
export const CONFIRMATIONS_METHOD = "parley.confirmations";
export const CONFIRM_METHOD = "parley.confirm";
export const HANG_UP_METHOD = "parley.hang_up";
export const MESSAGE_MAX_BYTES = 65536;
export const MESSAGE_TOPIC = "parley.message";
export const TEXT_MAX_CHARS = 1000;

export type AgentMessage = Notice | CallEnded | Confirmations | ClientAction;

/**
 * Every model that reaches the browser, by name.
 */
export interface Contract {
  Action: Action;
  ActionItem: ActionItem;
  ActionReport: ActionReport;
  AgentMessage: AgentMessage;
  ArgumentInWords: ArgumentInWords;
  CallEnded: CallEnded;
  CallSummary: CallSummary;
  CallView: CallView;
  CallerState: CallerState;
  CardsShown: CardsShown;
  ClientAction: ClientAction;
  ConfirmationResult: ConfirmationResult;
  ConfirmationVote: ConfirmationVote;
  Confirmations: Confirmations;
  DecidedConfirmation: DecidedConfirmation;
  FollowUp: FollowUp;
  Notice: Notice;
  PageWords: PageWords;
  PendingConfirmation: PendingConfirmation;
  Problem: Problem;
  QueueProblem: QueueProblem;
  RoomState: RoomState;
  TranscriptLine: TranscriptLine;
  VoiceToken: VoiceToken;
  VoiceTokenRequest: VoiceTokenRequest;
}
/**
 * One action: its name and what it needs.
 *
 * A subclass gives the name as `action: Literal["open_door"] = "open_door"`, and forbids fields
 * that it does not know: `class OpenDoor(Action, extra="forbid")`.
 */
export interface Action {
  action: string;
  [k: string]: unknown;
}
/**
 * Something that is left to do.
 */
export interface ActionItem {
  due: string | null;
  evidence: number[];
  owner: string | null;
  text: string;
}
/**
 * The outcome of an action, as the page reports it.
 *
 * `declined`: the person said no. `refused`: the page does not do it, or its fields are wrong.
 * `failed`: it broke.
 */
export interface ActionReport {
  detail: string;
  id: string;
  outcome: "done" | "declined" | "refused" | "failed";
}
/**
 * Something that the caller should read, because it may not be heard.
 *
 * `not-heard`: speech could not be recognized. `no-voice`: the answer could not be spoken, `text`
 * is the answer. `flood`: the page sends too much; if it goes on, the call ends.
 */
export interface Notice {
  code: "not-heard" | "no-voice" | "flood";
  text: string;
  type: "notice";
}
/**
 * The agent ends the call. The page leaves the room and shows why.
 */
export interface CallEnded {
  reason: "caller" | "agent" | "silence" | "not-understood" | "flood";
  type: "call-ended";
}
/**
 * All open questions, oldest first; it replaces what was sent before.
 */
export interface Confirmations {
  /**
   * @maxItems 8
   */
  decided:
    | []
    | [DecidedConfirmation]
    | [DecidedConfirmation, DecidedConfirmation]
    | [DecidedConfirmation, DecidedConfirmation, DecidedConfirmation]
    | [DecidedConfirmation, DecidedConfirmation, DecidedConfirmation, DecidedConfirmation]
    | [DecidedConfirmation, DecidedConfirmation, DecidedConfirmation, DecidedConfirmation, DecidedConfirmation]
    | [
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation
      ]
    | [
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation
      ]
    | [
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation,
        DecidedConfirmation
      ];
  /**
   * @maxItems 8
   */
  pending:
    | []
    | [PendingConfirmation]
    | [PendingConfirmation, PendingConfirmation]
    | [PendingConfirmation, PendingConfirmation, PendingConfirmation]
    | [PendingConfirmation, PendingConfirmation, PendingConfirmation, PendingConfirmation]
    | [PendingConfirmation, PendingConfirmation, PendingConfirmation, PendingConfirmation, PendingConfirmation]
    | [
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation
      ]
    | [
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation
      ]
    | [
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation,
        PendingConfirmation
      ];
  type: "confirmations";
}
/**
 * How a question ended. `replaced`: the same was asked in another way; `ended`: with the call.
 */
export interface DecidedConfirmation {
  by: ("voice" | "text" | "screen") | null;
  id: string;
  state: "approved" | "declined" | "expired" | "replaced" | "ended";
}
/**
 * A question that is open.
 */
export interface PendingConfirmation {
  /**
   * @maxItems 20
   */
  arguments:
    | []
    | [ArgumentInWords]
    | [ArgumentInWords, ArgumentInWords]
    | [ArgumentInWords, ArgumentInWords, ArgumentInWords]
    | [ArgumentInWords, ArgumentInWords, ArgumentInWords, ArgumentInWords]
    | [ArgumentInWords, ArgumentInWords, ArgumentInWords, ArgumentInWords, ArgumentInWords]
    | [ArgumentInWords, ArgumentInWords, ArgumentInWords, ArgumentInWords, ArgumentInWords, ArgumentInWords]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ]
    | [
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords,
        ArgumentInWords
      ];
  digest: string;
  expires_in_ms: number;
  id: string;
  title: string;
  tool: string;
}
/**
 * One argument, as a person reads it; never cut.
 */
export interface ArgumentInWords {
  name: string;
  value: string;
}
/**
 * The agent suggests an action.
 */
export interface ClientAction {
  action: Action;
  id: string;
  type: "client-action";
}
/**
 * What the call was about, from its journal alone.
 */
export interface CallSummary {
  done: string[];
  open_questions: string[];
  outcome: "resolved" | "unresolved" | "unknown";
  reason: string;
  sentiment: ("positive" | "neutral" | "negative") | null;
  text: string;
}
/**
 * Answer of `GET /api/calls/{call_id}`: a caller's own call.
 */
export interface CallView {
  call_id: string;
  end_reason: string | null;
  state: "requested" | "live" | "ending" | "ended";
  transcript: TranscriptLine[];
}
/**
 * What one side said, from the call's journal.
 */
export interface TranscriptLine {
  seq: number;
  speaker: "caller" | "agent";
  text: string;
  typed: boolean;
}
/**
 * Why the caller may be silent. It replaces what was told before.
 */
export interface CallerState {
  muted: boolean;
  typing: boolean;
}
/**
 * The questions that the caller's page shows as cards now.
 */
export interface CardsShown {
  /**
   * @maxItems 8
   */
  shown:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string];
}
/**
 * The state of the question after the vote.
 *
 * `changed`: the digest is not that of the open question. `unknown`: there is no such question.
 */
export interface ConfirmationResult {
  state: "approved" | "declined" | "expired" | "replaced" | "changed" | "unknown";
}
/**
 * The caller's answer on the card. The first vote counts.
 */
export interface ConfirmationVote {
  approved: boolean;
  digest: string;
  id: string;
}
/**
 * Answer of `GET /api/calls/{call_id}/follow-up`.
 */
export interface FollowUp {
  action_items: ActionItem[];
  state: "waiting" | "ready" | "failed";
  summary: CallSummary | null;
  ticket: string | null;
}
/**
 * Answer of `GET /api/page`. What is null is as it was built into the page.
 */
export interface PageWords {
  lead: string | null;
  name: string | null;
  parts:
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | null;
  suggestions:
    | []
    | [string]
    | [string, string]
    | [string, string, string]
    | [string, string, string, string]
    | [string, string, string, string, string]
    | [string, string, string, string, string, string]
    | [string, string, string, string, string, string, string]
    | [string, string, string, string, string, string, string, string]
    | null;
}
/**
 * An error as RFC 9457 problem details, `application/problem+json`.
 */
export interface Problem {
  code:
    | (
        | "agents-busy"
        | "bad-request"
        | "body-too-large"
        | "call-ended"
        | "call-not-found"
        | "captcha-required"
        | "captcha-unavailable"
        | "daily-limit"
        | "internal-error"
        | "network-busy"
        | "not-allowed"
        | "rate-limited"
        | "record-unavailable"
        | "request-timeout"
        | "service-busy"
        | "sfu-unavailable"
        | "sign-in-required"
        | "sign-in-unavailable"
        | "tenant-limit"
        | "too-many-calls"
      )
    | string;
  detail: string;
  status: number;
  title: string;
  type: string;
  [k: string]: unknown;
}
/**
 * `agents-busy` or `service-busy`, for a caller who has a position in the queue.
 */
export interface QueueProblem {
  code:
    | (
        | "agents-busy"
        | "bad-request"
        | "body-too-large"
        | "call-ended"
        | "call-not-found"
        | "captcha-required"
        | "captcha-unavailable"
        | "daily-limit"
        | "internal-error"
        | "network-busy"
        | "not-allowed"
        | "rate-limited"
        | "record-unavailable"
        | "request-timeout"
        | "service-busy"
        | "sfu-unavailable"
        | "sign-in-required"
        | "sign-in-unavailable"
        | "tenant-limit"
        | "too-many-calls"
      )
    | string;
  detail: string;
  position: number;
  status: number;
  title: string;
  type: string;
  [k: string]: unknown;
}
/**
 * As JSON in the room's metadata; only the supervisor and the token service write it.
 *
 * `connecting`: the first agent is on its way. `live`: it is there. `recovering`: another one is
 * on its way. `no-agent`: none is free right now; the supervisor keeps trying. `ending`: the call
 * is over.
 */
export interface RoomState {
  attempt: number;
  state: "connecting" | "live" | "recovering" | "no-agent" | "ending";
  [k: string]: unknown;
}
/**
 * Answer of `POST /api/voice-token`: all that a browser needs to join its call.
 */
export interface VoiceToken {
  expires_at: string;
  rtc_url: string;
  token: string;
}
/**
 * Body of `POST /api/voice-token`; empty for a new call.
 */
export interface VoiceTokenRequest {
  call_id: string | null;
}

/** The models' JSON Schema, for checking at run time. */
export const DEFINITIONS = {
  "Action": {
    "additionalProperties": true,
    "description": "One action: its name and what it needs.\n\nA subclass gives the name as `action: Literal[\"open_door\"] = \"open_door\"`, and forbids fields\nthat it does not know: `class OpenDoor(Action, extra=\"forbid\")`.",
    "properties": {
      "action": {
        "pattern": "^[a-z][a-z0-9_]{0,63}$",
        "type": "string"
      }
    },
    "required": [
      "action"
    ],
    "title": "Action",
    "type": "object"
  },
  "ActionItem": {
    "additionalProperties": false,
    "description": "Something that is left to do.",
    "properties": {
      "due": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "evidence": {
        "default": [],
        "items": {
          "type": "integer"
        },
        "type": "array"
      },
      "owner": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "text": {
        "type": "string"
      }
    },
    "required": [
      "text",
      "owner",
      "due",
      "evidence"
    ],
    "title": "ActionItem",
    "type": "object"
  },
  "ActionReport": {
    "additionalProperties": false,
    "description": "The outcome of an action, as the page reports it.\n\n`declined`: the person said no. `refused`: the page does not do it, or its fields are wrong.\n`failed`: it broke.",
    "properties": {
      "detail": {
        "default": "",
        "maxLength": 200,
        "type": "string"
      },
      "id": {
        "maxLength": 64,
        "minLength": 1,
        "type": "string"
      },
      "outcome": {
        "enum": [
          "done",
          "declined",
          "refused",
          "failed"
        ],
        "type": "string"
      }
    },
    "required": [
      "id",
      "outcome",
      "detail"
    ],
    "title": "ActionReport",
    "type": "object"
  },
  "AgentMessage": {
    "discriminator": {
      "mapping": {
        "call-ended": "#/$defs/CallEnded",
        "client-action": "#/$defs/ClientAction",
        "confirmations": "#/$defs/Confirmations",
        "notice": "#/$defs/Notice"
      },
      "propertyName": "type"
    },
    "oneOf": [
      {
        "$ref": "#/$defs/Notice"
      },
      {
        "$ref": "#/$defs/CallEnded"
      },
      {
        "$ref": "#/$defs/Confirmations"
      },
      {
        "$ref": "#/$defs/ClientAction"
      }
    ]
  },
  "ArgumentInWords": {
    "additionalProperties": false,
    "description": "One argument, as a person reads it; never cut.",
    "properties": {
      "name": {
        "maxLength": 100,
        "type": "string"
      },
      "value": {
        "maxLength": 1500,
        "type": "string"
      }
    },
    "required": [
      "name",
      "value"
    ],
    "title": "ArgumentInWords",
    "type": "object"
  },
  "CallEnded": {
    "additionalProperties": false,
    "description": "The agent ends the call. The page leaves the room and shows why.",
    "properties": {
      "reason": {
        "enum": [
          "caller",
          "agent",
          "silence",
          "not-understood",
          "flood"
        ],
        "type": "string"
      },
      "type": {
        "const": "call-ended",
        "default": "call-ended",
        "type": "string"
      }
    },
    "required": [
      "type",
      "reason"
    ],
    "title": "CallEnded",
    "type": "object"
  },
  "CallSummary": {
    "additionalProperties": false,
    "description": "What the call was about, from its journal alone.",
    "properties": {
      "done": {
        "default": [],
        "items": {
          "type": "string"
        },
        "type": "array"
      },
      "open_questions": {
        "default": [],
        "items": {
          "type": "string"
        },
        "type": "array"
      },
      "outcome": {
        "enum": [
          "resolved",
          "unresolved",
          "unknown"
        ],
        "type": "string"
      },
      "reason": {
        "type": "string"
      },
      "sentiment": {
        "anyOf": [
          {
            "enum": [
              "positive",
              "neutral",
              "negative"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "text": {
        "type": "string"
      }
    },
    "required": [
      "reason",
      "outcome",
      "text",
      "done",
      "open_questions",
      "sentiment"
    ],
    "title": "CallSummary",
    "type": "object"
  },
  "CallView": {
    "additionalProperties": false,
    "description": "Answer of `GET /api/calls/{call_id}`: a caller's own call.",
    "properties": {
      "call_id": {
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
        "type": "string"
      },
      "end_reason": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "state": {
        "enum": [
          "requested",
          "live",
          "ending",
          "ended"
        ],
        "type": "string"
      },
      "transcript": {
        "default": [],
        "items": {
          "$ref": "#/$defs/TranscriptLine"
        },
        "type": "array"
      }
    },
    "required": [
      "call_id",
      "state",
      "end_reason",
      "transcript"
    ],
    "title": "CallView",
    "type": "object"
  },
  "CallerState": {
    "additionalProperties": false,
    "description": "Why the caller may be silent. It replaces what was told before.",
    "properties": {
      "muted": {
        "type": "boolean"
      },
      "typing": {
        "type": "boolean"
      }
    },
    "required": [
      "muted",
      "typing"
    ],
    "title": "CallerState",
    "type": "object"
  },
  "CardsShown": {
    "additionalProperties": false,
    "description": "The questions that the caller's page shows as cards now.",
    "properties": {
      "shown": {
        "items": {
          "maxLength": 64,
          "minLength": 1,
          "type": "string"
        },
        "maxItems": 8,
        "type": "array"
      }
    },
    "required": [
      "shown"
    ],
    "title": "CardsShown",
    "type": "object"
  },
  "ClientAction": {
    "additionalProperties": false,
    "description": "The agent suggests an action.",
    "properties": {
      "action": {
        "$ref": "#/$defs/Action"
      },
      "id": {
        "maxLength": 64,
        "minLength": 1,
        "type": "string"
      },
      "type": {
        "const": "client-action",
        "default": "client-action",
        "type": "string"
      }
    },
    "required": [
      "type",
      "id",
      "action"
    ],
    "title": "ClientAction",
    "type": "object"
  },
  "ConfirmationResult": {
    "additionalProperties": false,
    "description": "The state of the question after the vote.\n\n`changed`: the digest is not that of the open question. `unknown`: there is no such question.",
    "properties": {
      "state": {
        "enum": [
          "approved",
          "declined",
          "expired",
          "replaced",
          "changed",
          "unknown"
        ],
        "type": "string"
      }
    },
    "required": [
      "state"
    ],
    "title": "ConfirmationResult",
    "type": "object"
  },
  "ConfirmationVote": {
    "additionalProperties": false,
    "description": "The caller's answer on the card. The first vote counts.",
    "properties": {
      "approved": {
        "type": "boolean"
      },
      "digest": {
        "pattern": "^[0-9a-f]{64}$",
        "type": "string"
      },
      "id": {
        "maxLength": 64,
        "minLength": 1,
        "type": "string"
      }
    },
    "required": [
      "id",
      "digest",
      "approved"
    ],
    "title": "ConfirmationVote",
    "type": "object"
  },
  "Confirmations": {
    "additionalProperties": false,
    "description": "All open questions, oldest first; it replaces what was sent before.",
    "properties": {
      "decided": {
        "default": [],
        "items": {
          "$ref": "#/$defs/DecidedConfirmation"
        },
        "maxItems": 8,
        "type": "array"
      },
      "pending": {
        "items": {
          "$ref": "#/$defs/PendingConfirmation"
        },
        "maxItems": 8,
        "type": "array"
      },
      "type": {
        "const": "confirmations",
        "default": "confirmations",
        "type": "string"
      }
    },
    "required": [
      "type",
      "pending",
      "decided"
    ],
    "title": "Confirmations",
    "type": "object"
  },
  "DecidedConfirmation": {
    "additionalProperties": false,
    "description": "How a question ended. `replaced`: the same was asked in another way; `ended`: with the call.",
    "properties": {
      "by": {
        "anyOf": [
          {
            "enum": [
              "voice",
              "text",
              "screen"
            ],
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "id": {
        "maxLength": 64,
        "minLength": 1,
        "type": "string"
      },
      "state": {
        "enum": [
          "approved",
          "declined",
          "expired",
          "replaced",
          "ended"
        ],
        "type": "string"
      }
    },
    "required": [
      "id",
      "state",
      "by"
    ],
    "title": "DecidedConfirmation",
    "type": "object"
  },
  "FollowUp": {
    "additionalProperties": false,
    "description": "Answer of `GET /api/calls/{call_id}/follow-up`.",
    "properties": {
      "action_items": {
        "default": [],
        "items": {
          "$ref": "#/$defs/ActionItem"
        },
        "type": "array"
      },
      "state": {
        "enum": [
          "waiting",
          "ready",
          "failed"
        ],
        "type": "string"
      },
      "summary": {
        "anyOf": [
          {
            "$ref": "#/$defs/CallSummary"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "ticket": {
        "anyOf": [
          {
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      }
    },
    "required": [
      "state",
      "summary",
      "action_items",
      "ticket"
    ],
    "title": "FollowUp",
    "type": "object"
  },
  "Notice": {
    "additionalProperties": false,
    "description": "Something that the caller should read, because it may not be heard.\n\n`not-heard`: speech could not be recognized. `no-voice`: the answer could not be spoken, `text`\nis the answer. `flood`: the page sends too much; if it goes on, the call ends.",
    "properties": {
      "code": {
        "enum": [
          "not-heard",
          "no-voice",
          "flood"
        ],
        "type": "string"
      },
      "text": {
        "maxLength": 2000,
        "type": "string"
      },
      "type": {
        "const": "notice",
        "default": "notice",
        "type": "string"
      }
    },
    "required": [
      "type",
      "code",
      "text"
    ],
    "title": "Notice",
    "type": "object"
  },
  "PageWords": {
    "additionalProperties": false,
    "description": "Answer of `GET /api/page`. What is null is as it was built into the page.",
    "properties": {
      "lead": {
        "anyOf": [
          {
            "maxLength": 400,
            "minLength": 1,
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "name": {
        "anyOf": [
          {
            "maxLength": 100,
            "minLength": 1,
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "parts": {
        "anyOf": [
          {
            "items": {
              "maxLength": 400,
              "minLength": 1,
              "type": "string"
            },
            "maxItems": 8,
            "minItems": 1,
            "type": "array"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "suggestions": {
        "anyOf": [
          {
            "items": {
              "maxLength": 400,
              "minLength": 1,
              "type": "string"
            },
            "maxItems": 8,
            "type": "array"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      }
    },
    "required": [
      "name",
      "lead",
      "suggestions",
      "parts"
    ],
    "title": "PageWords",
    "type": "object"
  },
  "PendingConfirmation": {
    "additionalProperties": false,
    "description": "A question that is open.",
    "properties": {
      "arguments": {
        "items": {
          "$ref": "#/$defs/ArgumentInWords"
        },
        "maxItems": 20,
        "type": "array"
      },
      "digest": {
        "pattern": "^[0-9a-f]{64}$",
        "type": "string"
      },
      "expires_in_ms": {
        "minimum": 0,
        "type": "integer"
      },
      "id": {
        "maxLength": 64,
        "minLength": 1,
        "type": "string"
      },
      "title": {
        "maxLength": 500,
        "type": "string"
      },
      "tool": {
        "maxLength": 64,
        "type": "string"
      }
    },
    "required": [
      "id",
      "title",
      "tool",
      "arguments",
      "digest",
      "expires_in_ms"
    ],
    "title": "PendingConfirmation",
    "type": "object"
  },
  "Problem": {
    "description": "An error as RFC 9457 problem details, `application/problem+json`.",
    "properties": {
      "code": {
        "anyOf": [
          {
            "enum": [
              "agents-busy",
              "bad-request",
              "body-too-large",
              "call-ended",
              "call-not-found",
              "captcha-required",
              "captcha-unavailable",
              "daily-limit",
              "internal-error",
              "network-busy",
              "not-allowed",
              "rate-limited",
              "record-unavailable",
              "request-timeout",
              "service-busy",
              "sfu-unavailable",
              "sign-in-required",
              "sign-in-unavailable",
              "tenant-limit",
              "too-many-calls"
            ],
            "type": "string"
          },
          {
            "type": "string"
          }
        ]
      },
      "detail": {
        "type": "string"
      },
      "status": {
        "type": "integer"
      },
      "title": {
        "type": "string"
      },
      "type": {
        "type": "string"
      }
    },
    "required": [
      "type",
      "title",
      "status",
      "code",
      "detail"
    ],
    "title": "Problem",
    "type": "object"
  },
  "QueueProblem": {
    "description": "`agents-busy` or `service-busy`, for a caller who has a position in the queue.",
    "properties": {
      "code": {
        "anyOf": [
          {
            "enum": [
              "agents-busy",
              "bad-request",
              "body-too-large",
              "call-ended",
              "call-not-found",
              "captcha-required",
              "captcha-unavailable",
              "daily-limit",
              "internal-error",
              "network-busy",
              "not-allowed",
              "rate-limited",
              "record-unavailable",
              "request-timeout",
              "service-busy",
              "sfu-unavailable",
              "sign-in-required",
              "sign-in-unavailable",
              "tenant-limit",
              "too-many-calls"
            ],
            "type": "string"
          },
          {
            "type": "string"
          }
        ]
      },
      "detail": {
        "type": "string"
      },
      "position": {
        "type": "integer"
      },
      "status": {
        "type": "integer"
      },
      "title": {
        "type": "string"
      },
      "type": {
        "type": "string"
      }
    },
    "required": [
      "type",
      "title",
      "status",
      "code",
      "detail",
      "position"
    ],
    "title": "QueueProblem",
    "type": "object"
  },
  "RoomState": {
    "description": "As JSON in the room's metadata; only the supervisor and the token service write it.\n\n`connecting`: the first agent is on its way. `live`: it is there. `recovering`: another one is\non its way. `no-agent`: none is free right now; the supervisor keeps trying. `ending`: the call\nis over.",
    "properties": {
      "attempt": {
        "minimum": 1,
        "type": "integer"
      },
      "state": {
        "enum": [
          "connecting",
          "live",
          "recovering",
          "no-agent",
          "ending"
        ],
        "type": "string"
      }
    },
    "required": [
      "attempt",
      "state"
    ],
    "title": "RoomState",
    "type": "object"
  },
  "TranscriptLine": {
    "additionalProperties": false,
    "description": "What one side said, from the call's journal.",
    "properties": {
      "seq": {
        "type": "integer"
      },
      "speaker": {
        "enum": [
          "caller",
          "agent"
        ],
        "type": "string"
      },
      "text": {
        "type": "string"
      },
      "typed": {
        "default": false,
        "type": "boolean"
      }
    },
    "required": [
      "seq",
      "speaker",
      "text",
      "typed"
    ],
    "title": "TranscriptLine",
    "type": "object"
  },
  "VoiceToken": {
    "additionalProperties": false,
    "description": "Answer of `POST /api/voice-token`: all that a browser needs to join its call.",
    "properties": {
      "expires_at": {
        "format": "date-time",
        "type": "string"
      },
      "rtc_url": {
        "type": "string"
      },
      "token": {
        "type": "string"
      }
    },
    "required": [
      "rtc_url",
      "token",
      "expires_at"
    ],
    "title": "VoiceToken",
    "type": "object"
  },
  "VoiceTokenRequest": {
    "additionalProperties": false,
    "description": "Body of `POST /api/voice-token`; empty for a new call.",
    "properties": {
      "call_id": {
        "anyOf": [
          {
            "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      }
    },
    "required": [
      "call_id"
    ],
    "title": "VoiceTokenRequest",
    "type": "object"
  }
};
