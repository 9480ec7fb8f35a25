"""
What people want from other trades: learned as nothing, so that no agent takes it for its own.

An author's own examples count more, and their words are no foreign ones: an agent of that trade
understands its own.
"""

OTHER_FAMILIES = """
taxi: taxis, cab, cabs, uber, lyft, minicab, limo, limousine, chauffeur, rickshaw
meal: pizza, pizzas, pepperoni, burger, burgers, hamburger, curry, sandwich, sandwiches, fries
meal: chips, coke, coffee, latte, beer, wine, soup, salad, sushi, noodles, pasta, kebab, takeaway
meal: takeout, food, breakfast, lunch, dinner, dessert, cake, bread, milk, groceries, chicken
meal: steak, pancakes, recipe
appliance: washing machine, washer, dishwasher, dryer, tumble dryer, oven, stove, cooker, fridge
appliance: freezer, refrigerator, microwave, toaster, television, tv, telly, boiler, heating
appliance: radiator, air conditioning, vacuum cleaner, hoover, lawnmower, mower, printer, laptop
appliance: iphone, ipad, mobile phone, cell phone, phone screen, sewing machine, coffee machine
appliance: piano, guitar, watch strap, watches
car: cars, van, truck, lorry, motorbike, motorcycle, moped, windscreen, windshield, parking space
car: parking, car park
flight: flights, plane, train, trains, bus, buses, ferry, cruise, boat, tram, subway, airport
flight: harbour, harbor, railway, tickets, ticket, boarding pass, luggage, passport, visa
hotel: hotels, motel, hostel, guest house, bed and breakfast, double room, single room, vacation
hotel: villa, campsite, airbnb, suite
restaurant: table for 2, table for 4, table for 6, table for {number}, cafe, pub, bistro
restaurant: restaurants
show: movie, movies, film, films, cinema, concert, concerts, theatre, theater, musical, opera
show: museum, netflix, circus, zoo
music: song, songs, jazz, playlist, radio, album, poem, joke, jokes, riddle
sport: football, footballer, soccer, baseball, basketball, tennis, lakers, world cup, olympics
sport: super bowl, golf
weather: rain, raining, sunny, snow, forecast, storm
politics: president, election, elections, prime minister, government, parliament, senator, mayor
plumber: electrician, locksmith, builder, roofer, decorator, gardener, carpenter, handyman
plumber: hairdresser, barber, haircut, manicure, massage, babysitter, nanny, lawyer, solicitor
plumber: accountant, tutor, vet, dog walker, priest, undertaker, removal men, facial
doctor: dentist, dentists, doctors, physio, surgeon, optician, hospital, surgery, clinic
doctor: prescription, prescriptions, pharmacy, pharmacist, x ray, vaccination, blood test
bank: loan, mortgage, bank account, overdraft, bank balance, bitcoin, exchange rate, pension, tax
bank: taxes, savings
insurance: insure, insured
subscription: subscriptions, phone contract, membership, gym, broadband, wifi, electricity
subscription: gas bill, water bill, phone bill, streaming, electric bill
dog: dogs, cat, cats, puppy, kitten, horse, hamster, parrot, pet, pets, plants, flowers
house: apartment, garden, roof, fence, lawn, kitchen, bathroom, sofa, furniture, carpet
house: plot of land
library: novel, magazine, newspaper, homework, essay, exam, university, library book
library: library books
horoscope: lottery, casino, bet, betting, stars sign
"""
"""Words of a family, by its first; as in `word_families`."""

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
reserve me a parking space {day}
book me on the ferry {day} at {time}
can the doctor see me {day}
cancel what I have at the dentist
I need my car serviced {day} at {time}
what's my horoscope
water my plants please
"""
