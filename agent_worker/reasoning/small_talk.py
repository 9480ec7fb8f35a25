"""What callers say to any agent that is none of its intents: learned as nothing."""

SMALL_TALK = """
hmm let me think
let me think about it
let me ask my wife
I don't know
I'm not sure
no idea
what do you mean
I don't understand
that's wrong
that's not right
that's not what I said
you're not listening
don't do that
are you still there
are you there
can you hear me
I can't hear you
speak up please
speak louder
slow down please
you're too fast
do you speak Spanish
can we talk in German
what's your name
how are you
how old are you
are you married
who made you
who are your parents
I love you
you are stupid
that's nice
my name is Peter Brown
I'm calling for a friend
I'm on the train
I'm driving right now
the dog is barking
it's raining here
I have three kids
it's for my daughter
just looking around
well then
so anyway
the red one
the other one
next week maybe
what's the weather like today
what time is it
what day is it today
something funny
write me a poem
what's two plus two
what's seven times nine
can you recommend a restaurant
I owe you money
give me five dollars
my computer is broken
I lost my keys
I forgot my password
can I change my password
delete my account
close my account
change my address
I have moved, my new address is twelve Main Street
what is your address
where are you
how do I get to you by bus
is there parking
can I pay by card
what's the address of your boss
the phone number of that woman
somebody's data
"""
