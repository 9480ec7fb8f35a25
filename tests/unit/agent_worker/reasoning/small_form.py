"""A templates' file with typed lists, a form and examples, for tests."""

FORM = """
language: en
courtesy: [please, "(can|could) you", hello]
lists:
  room: {type: number, from: 1, to: 999, after: [room]}
  day: {type: day}
  time: {type: time, between: ["9:00", "18:00"]}
  phone: {type: phone_number}
  email: {type: email}
  name: {type: name}
  note: {type: text}
  query: {wildcard: true}
intents:
  look:
    tool: look
    about: what is in a room
    ask: {room: ["Which room?", "Sorry, I need its number. Which room?"]}
    examples: |
      what is inside room {room}
      is there anything in {room}
      tell me what you see in room {room}
      how does it look in rooms {room} and {room}
      peek into room {room}
      has somebody been in {room}
    data:
      - sentences: ["look at room {room}", "look at a room"]
  clear:
    tool: clear
    about: to empty a room
    ask: {room: "Which room shall I empty?"}
    examples: |
      get everything out of room {room}
      throw away what is in room {room}
      I want room {room} empty
      take all the stuff out of {room}
      don't leave anything in room {room}
    counter_examples: |
      don't touch room {room}
    data:
      - sentences: ["clear room {room}"]
      - sentences: ["clear it"]
        slots: {room: the-same}
  visit:
    tool: visit
    about: to book a visit
    ask: {day: "Which day?", time: "At what time?"}
    examples: |
      I would like to come by {day} at {time}
      can I drop in on {day}
      put me down for {day} {time}
      I want to come and see it
    data:
      - sentences: ["book a visit [on {day}] [at {time}]"]
  contact:
    tool: contact
    ask:
      name: "What is your name?"
      phone: "What is your telephone number?"
      note: "What is it about?"
    data:
      - sentences: ["call me back"]
  shop:
    tool: shop
    ask: {query: "What are you looking for?"}
    examples: |
      do you sell {query}
      have you any {query}
      how much is {query}
  hours:
    say: "We are open all day."
    data:
      - sentences: ["when are you open"]
nothing: |
  paint me a picture
  what is the meaning of life
"""
