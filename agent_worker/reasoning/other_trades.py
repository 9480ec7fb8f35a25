"""
What people want from other trades: learned as nothing, so that no agent takes it for its own.

An author's own examples count more: an agent of that trade understands its own.
"""

OTHER_TRADES = """
call me a taxi
get me a cab to the airport
could you order me a taxi for {time}
I need a lift to the station
I'd like a pizza
can I get a large pizza to go
two burgers and fries please
order me some food
I want to order a meal
do you deliver food
book me a table for two at {time}
book me a table for {day}
I'd like to book a flight to Rome
is my flight on time
when does the next train leave
two tickets to London please
book me a hotel for the weekend
do you have rooms free {day}
I'd like a double room for two nights
two tickets for the cinema {day}
what's on television tonight
play some music
sing me a song
tell me a joke
who won the match last night
what's the weather like {day}
will it rain {day}
who is the president
what do you think of the election
I want to talk about politics
my washing machine is broken, can you fix it
my washing machine makes a noise
can you repair my dishwasher
can you fix my television {day} at {time}
my car won't start
can you fix my car
I need a car
I'd like to rent a car
I need a plumber
can you send me an electrician
I'd like a haircut {day} at {time}
book me a hairdresser for {day}
can you walk my dog {day}
my dog is ill
I want to sell my house
I'd like to rent a flat
clean my windows please
mow my lawn
can you lend me some money
I'd like a loan
what's my bank balance
transfer some money to my brother
I want to insure my car
cancel my insurance
cancel my subscription
cancel my phone contract
cancel my gym membership
I want to change my electricity supplier
my internet doesn't work
can you unlock my phone
I'd like to renew my library book
help me with my homework
translate this into French
what is the capital of France
how tall is the Eiffel tower
how do I bake a cake
turn off the kitchen light
set an alarm for {time}
wake me up at {time}
remind me to call my mother
send a card to my mother
send flowers to my wife
do you sell dresses
do you sell cars
I'm looking for a job
are you hiring
I'd like to speak to my bank
where is the library
is this the pharmacy
is this the hospital
"""
