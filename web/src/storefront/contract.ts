// Generated from examples.storefront.agent.actions by "npm run contract". Do not edit.

export type Action = ShowOrder | Navigate | FillForm | OfferDownload | StartOver;

/**
 * Every model that reaches the browser, by name.
 */
export interface Contract {
  Action: Action;
  FillForm: FillForm;
  Navigate: Navigate;
  OfferDownload: OfferDownload;
  OrderLine: OrderLine;
  ShowOrder: ShowOrder;
  StartOver: StartOver;
}
/**
 * Show an order of the caller.
 */
export interface ShowOrder {
  action: "show_order";
  expected_on: string | null;
  /**
   * @maxItems 50
   */
  items: OrderLine[];
  number: number;
  status: string;
  total: string;
}
/**
 * What was ordered.
 */
export interface OrderLine {
  name: string;
  quantity: number;
}
/**
 * Go to a part of the page.
 */
export interface Navigate {
  action: "navigate";
  to: "conversation" | "orders" | "appointment";
}
/**
 * Fill in the appointment form; the person sends it.
 */
export interface FillForm {
  action: "fill_form";
  day: string;
  form: "appointment";
  kind: "fitting" | "repair" | "";
  time: string;
}
/**
 * Offer a text to keep.
 */
export interface OfferDownload {
  action: "offer_download";
  filename: string;
  text: string;
}
/**
 * Clear what was shown and filled in.
 */
export interface StartOver {
  action: "start_over";
}

/** The models' JSON Schema, for checking at run time. */
export const DEFINITIONS = {
  "Action": {
    "oneOf": [
      {
        "$ref": "#/$defs/ShowOrder"
      },
      {
        "$ref": "#/$defs/Navigate"
      },
      {
        "$ref": "#/$defs/FillForm"
      },
      {
        "$ref": "#/$defs/OfferDownload"
      },
      {
        "$ref": "#/$defs/StartOver"
      }
    ]
  },
  "FillForm": {
    "additionalProperties": false,
    "description": "Fill in the appointment form; the person sends it.",
    "properties": {
      "action": {
        "const": "fill_form",
        "default": "fill_form",
        "type": "string"
      },
      "day": {
        "default": "",
        "maxLength": 200,
        "type": "string"
      },
      "form": {
        "const": "appointment",
        "default": "appointment",
        "type": "string"
      },
      "kind": {
        "default": "",
        "enum": [
          "fitting",
          "repair",
          ""
        ],
        "type": "string"
      },
      "time": {
        "default": "",
        "maxLength": 200,
        "type": "string"
      }
    },
    "required": [
      "action",
      "form",
      "day",
      "time",
      "kind"
    ],
    "title": "FillForm",
    "type": "object"
  },
  "Navigate": {
    "additionalProperties": false,
    "description": "Go to a part of the page.",
    "properties": {
      "action": {
        "const": "navigate",
        "default": "navigate",
        "type": "string"
      },
      "to": {
        "enum": [
          "conversation",
          "orders",
          "appointment"
        ],
        "type": "string"
      }
    },
    "required": [
      "action",
      "to"
    ],
    "title": "Navigate",
    "type": "object"
  },
  "OfferDownload": {
    "additionalProperties": false,
    "description": "Offer a text to keep.",
    "properties": {
      "action": {
        "const": "offer_download",
        "default": "offer_download",
        "type": "string"
      },
      "filename": {
        "pattern": "^[A-Za-z0-9_-]{1,60}\\.txt$",
        "type": "string"
      },
      "text": {
        "maxLength": 4000,
        "type": "string"
      }
    },
    "required": [
      "action",
      "filename",
      "text"
    ],
    "title": "OfferDownload",
    "type": "object"
  },
  "OrderLine": {
    "additionalProperties": false,
    "description": "What was ordered.",
    "properties": {
      "name": {
        "maxLength": 200,
        "type": "string"
      },
      "quantity": {
        "maximum": 10000,
        "minimum": 1,
        "type": "integer"
      }
    },
    "required": [
      "name",
      "quantity"
    ],
    "title": "OrderLine",
    "type": "object"
  },
  "ShowOrder": {
    "additionalProperties": false,
    "description": "Show an order of the caller.",
    "properties": {
      "action": {
        "const": "show_order",
        "default": "show_order",
        "type": "string"
      },
      "expected_on": {
        "anyOf": [
          {
            "maxLength": 200,
            "type": "string"
          },
          {
            "type": "null"
          }
        ],
        "default": null
      },
      "items": {
        "items": {
          "$ref": "#/$defs/OrderLine"
        },
        "maxItems": 50,
        "type": "array"
      },
      "number": {
        "minimum": 1,
        "type": "integer"
      },
      "status": {
        "maxLength": 200,
        "type": "string"
      },
      "total": {
        "maxLength": 200,
        "type": "string"
      }
    },
    "required": [
      "action",
      "number",
      "status",
      "items",
      "total",
      "expected_on"
    ],
    "title": "ShowOrder",
    "type": "object"
  },
  "StartOver": {
    "additionalProperties": false,
    "description": "Clear what was shown and filled in.",
    "properties": {
      "action": {
        "const": "start_over",
        "default": "start_over",
        "type": "string"
      }
    },
    "required": [
      "action"
    ],
    "title": "StartOver",
    "type": "object"
  }
};
