// Generated from voice_contract by "npm run contract". Do not edit.

export const AGENT_IDENTITY_PREFIX = "agent-";
export const HANG_UP_METHOD = "parley.hang_up";
export const MESSAGE_MAX_BYTES = 8192;
export const MESSAGE_TOPIC = "parley.message";
export const TEXT_MAX_CHARS = 1000;

export type AgentMessage = Notice | CallEnded;

/**
 * Every model that reaches the browser, by name.
 */
export interface Contract {
  AgentMessage: AgentMessage;
  CallEnded: CallEnded;
  Notice: Notice;
  Problem: Problem;
  VoiceToken: VoiceToken;
}
/**
 * Something that the caller should read, because it may not be heard.
 *
 * `not-heard`: speech could not be recognized. `no-reply`: no answer could be found in time.
 * `no-voice`: the answer could not be spoken, `text` is the answer.
 */
export interface Notice {
  code: "not-heard" | "no-reply" | "no-voice";
  text: string;
  type: "notice";
}
/**
 * The agent ends the call. The page leaves the room and shows why.
 */
export interface CallEnded {
  reason: "caller" | "agent" | "silence" | "not-understood" | "failed";
  type: "call-ended";
}
/**
 * An error as RFC 9457 problem details, `application/problem+json`.
 */
export interface Problem {
  code: ("bad-request" | "body-too-large" | "internal-error" | "sfu-unavailable") | string;
  detail: string;
  status: number;
  title: string;
  type: string;
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

/** The models' JSON Schema, for checking at run time. */
export const DEFINITIONS = {
  "AgentMessage": {
    "discriminator": {
      "mapping": {
        "call-ended": "#/$defs/CallEnded",
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
      }
    ]
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
          "failed"
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
  "Notice": {
    "additionalProperties": false,
    "description": "Something that the caller should read, because it may not be heard.\n\n`not-heard`: speech could not be recognized. `no-reply`: no answer could be found in time.\n`no-voice`: the answer could not be spoken, `text` is the answer.",
    "properties": {
      "code": {
        "enum": [
          "not-heard",
          "no-reply",
          "no-voice"
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
  "Problem": {
    "description": "An error as RFC 9457 problem details, `application/problem+json`.",
    "properties": {
      "code": {
        "anyOf": [
          {
            "enum": [
              "bad-request",
              "body-too-large",
              "internal-error",
              "sfu-unavailable"
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
  }
};
