"""
English words and phrases that mean nearly the same where people ask for a service.

What an example says with one of them is known with the others: "mend" beside "fix". They are no
synonyms elsewhere, and an example's own words go before them.
"""

import re
from collections.abc import Collection, Iterable

from agent_worker.reasoning.other_trades import OTHER_FAMILIES

FAMILIES = """
fix: mend, mended, mending, repair, repaired, repairing, repairs, fixed, fixing, sort out
fix: sorted out, put right, see to, seen to, patch up, patched up, restore
check: look at, looked at, looking at, have a look, having a look, take a look, taking a look
check: check over, checked, checked over, checked out, checking, have a gander, cast an eye over
check: give a look, give it a look, inspect, inspected, examine, examined, go over, gone over
check: once over, look over, look into, looking into, check on, check up on, check into
phone: ring, rang, ringing, phoned, phoning, call, called, calling, telephone, buzz, ring up
phone: call up, ring back, phone back, call back, callback
person: human, human being, somebody, someone, anybody, anyone, staff, colleague, colleagues
person: employee, representative, rep, operator, adviser, advisor, people, persons, bloke, lady
person: guy, guys, receptionist, clerk, supervisor, manager, boss, owner, team, gaffer, chief
person: head, executive, young man, young men, young woman, man in the, woman in the, lads, chap
person: fella, fellow, member of staff, flesh and blood, grown up, soul, living being
talk: speak, spoke, speaking, talking, chat, have a word, word with, put through, connected
talk: connect, transfer, transferred, pass me on, hand me over, get hold of, deal with, put on to
talk: get through to
machine: robot, bot, computer, recording, automated, automat, machines, robots, computers
machine: contraption, ai
want: need, needs, needed, wanted, wants, wanting, require, requiring, after, fancy
want: could do with, could use, looking for, in need of, in the market for, hoping for, keen on
want: interested in, wish for, desire, hunting for, searching for, seeking, dying for
buy: bought, buying, purchase, purchased, pick up, picked up
cost: costs, price, prices, priced, pricing, set me back, charge for, expensive, how much, go for
cost: run me, dear, cheap, pricey, damage, worth, looking at for
cancel: cancelled, canceled, cancelling, call off, called off, calling off, scrap, scrub, scratch
cancel: drop, ditch, bin, axe, kill, undo, withdraw, pull, stop, halt, abort, get rid of
cancel: take off, knock on the head, remove, delete, strike, cross off, void, revoke, nix, bail
cancel: bail on, back out, back out of, pull out, pull out of, cry off, get out of, scrub out
cancel: erase, wipe, chuck, toss, nuke, dump, trash, annul, rescind, terminate, quash
cancel: pull the plug on, put the kibosh on, put a stop to, call a halt to, give it a miss
move: moved, moving, shift, change, changed, changing, switch, swap, swapped, push, push back
move: pushed back, put back, put off, postpone, postponed, bring forward, brought forward
move: reschedule, rearrange, rebook, bump, delay, defer, alter, adjust, reorganise, reorganize
another: different, other, alternative, some other, any other, a new
rather: sooner, prefer, preferably, better, instead, would rather, would sooner, would prefer
rather: in place of
come: came, coming, come in, come by, come round, come around, come over, come along, come down
come: come up, pop in, popping in, pop by, pop round, pop over, pop along, drop in, drop by
come: drop round, swing by, stop by, call in, nip in, nip round, visit, visiting, swing round
come: look in, stop in, get there, make it there, get over, be there, get down there
not_come: can't make it, cannot make it, won't make it, can't come, cannot come, won't come
not_come: won't be coming, not coming, can't be there, won't be there, won't be able, not able
not_come: unable, can't get there, can't get away, can't do, cannot do, couldn't make it
not_come: not going to make it, can't keep, won't be in, can't manage, doesn't suit, no good for
not_come: doesn't work for, isn't good for, no longer suits, can't attend, won't be attending
not_come: can't show
arrive: arrived, arriving, arrives, turn up, turned up, turning up, show up, shown up, showed up
arrive: get here, got here, be here, reach me, land, landed, delivered, deliver, delivery
arrive: deliveries, be with me, come through, due, reach, turns up, shows up, drops, dropped off
send: sent, sending, ship, shipped, shipping, dispatch, dispatched, despatched, post, posted
send: mail, mailed, go out, gone out, went out, left, leave, on its way, on the way, in the post
send: en route, in transit, out for delivery, set off, left the
find_out: where, whereabouts, track, tracking, trace, locate, chase, chase up, status, progress
find_out: update, news, word on, happened to, happening with, going on with, got to, coming along
find_out: getting on, getting along, stage, eta, any sign, sign of, up to with, become of
find_out: the story with, state of play
late: delayed, overdue, held up, hold up, holdup, behind, taking so long, taking ages
late: takes so long, slow, ages, weeks, forever, long time, taking forever
waiting: wait, waited, expecting, expected, expect, supposed, meant to, should have, outstanding
waiting: pending, still to come, looking forward
missing: lost, disappeared, vanished, never came, nobody came, nobody's come, hasn't come
missing: haven't come, not come, no sign, not a peep, not a word, not here, nothing here
missing: not arrived, hasn't arrived, haven't arrived, hasn't turned up, hasn't shown up
missing: never arrived, never turned up, never showed up, haven't received, haven't got
missing: didn't get, not received, yet to arrive, no show
broken: broke, faulty, damaged, cracked, smashed, busted, bust, knackered, defective
broken: doesn't work, don't work, not working, isn't working, aren't working, stopped working
broken: won't work, fell apart, falling apart, in pieces, in bits, scratched, torn, bent, ruined
broken: packed up, packed in, conked out, snapped, shattered, useless, rubbish, junk, dented
broken: leaking, ripped, chipped, split, come apart, came apart, dead, gave out, given up, duff
broken: shoddy, poor quality, on the blink, gone wrong, playing up, acting up, not right
wrong: mistake, by mistake, error, in error, by accident, accidentally, incorrect, mix up
wrong: mixed up, mixup, misclick, twice, duplicate, double
repay: money back, cash back, pay back, paid back, reimburse, reimbursed, reimbursement, credit
repay: credited, give back, owe, owed, owing, overcharged, charged too much, charged twice
repay: compensation, compensate, my money, my cash, out of pocket, recoup
return: returned, returning, send back, sent back, sending back, take back, bring back, hand back
unhappy: not happy, disappointed, dissatisfied, unsatisfied, not satisfied, displeased, fed up
unhappy: annoyed, not pleased, don't like, didn't like, not what i, not as described
not_wanted: decided against, changed my mind, second thoughts, 2nd thoughts, no longer want
not_wanted: no longer need, don't want, don't need, won't need, won't be needing, thought better
not_wanted: do without, gone off, not interested, no longer interested, have no use, no use for
not_wanted: not going to need, not bothered about, surplus, surplus to requirements, superfluous
not_wanted: has to go, must go, have to go, don't require, not need, not want, not be needing
open: opening, opens, opened, unlock, doors
close: closed, closes, closing, shut, shuts, shutting, lock up, knock off, pack up, close up
hours: opening times, timings, timing, times, timetable, business hours
free: available, availability, vacant, vacancy, vacancies, gap, gaps, slot, slots, space, spaces
free: spot, spots, opening for, openings, room for, spare, anything going, anything left
free: nothing left, booked up, full up, fully booked, fit me in, squeeze me in, slot me in
free: work me in
soonest: earliest, first available, next available, quickest, as soon as possible, how soon, soon
soonest: the nearest, before long, right away, asap, first thing
remember: recall, remind, forgot, forgotten, forget, lost track, mislaid, misplaced, can't find
remember: slipped my mind, can't think, not sure when, lost the card, lost my, jog my memory
remember: double check, confirm when
book: booked, booking, reserve, reserved, put me down, pencil me in, pencil in, sign me up
book: schedule, scheduled, arrange, arranged, set up, put me in, get me in, organise, organize
book: make me, set me up, get booked, fix up, put my name down
again: once more, one more time, repeat, repeated, repeating, over again, another time
again: come again, run that by me, pardon, beg your pardon
hear: misunderstand, misunderstanding, misunderstood, heard, catch, caught, understand
hear: understood, follow, make out, missed, miss, got that, get that, hearing
bye: goodbye, good bye, bye bye, cheerio, see you, see ya, so long, ta ta, farewell, take care
bye: have a good day, have a nice day, good night, be off, get going, all the best, good day
bye: let you go, keep you, have a good one, toodle pip
finished: done, all done, everything, that's all, that is all, that's it, nothing else
finished: nothing more, all i needed, all i wanted, that'll be all, that will be all, no more
finished: sorted, all set, good to go
sell: sells, stock, stocks, stocking, carry, keep, supply, selling, in stock, do you do, got any
sell: have any, have you got, you have any, have in
cheap: cheapest, cheaper, inexpensive, budget, affordable, least expensive
how_to: how do i, how can i, how would i, how should i, how do you, how to, how might i, go about
how_to: best way, what can i do, what should i do, what do i do, any tips, tips, any advice
how_to: advice, advise, any ideas, suggestions, recommend, is there a trick, what's the trick
how_to: what would you do, what helps, how often, how long should, how tight, how much air
how_to: best for, right way, proper way, remedy, cure
noise: noisy, noises, squeak, squeaks, squeaking, squeal, squeals, squealing, creak, creaks
noise: creaking, rattle, rattles, rattling, grind, grinding, click, clicks, clicking, screech
noise: screeching, clunk, clunking, rubbing, clank
complain: complaint, complaints, dispute, kick up a fuss
relative: wife, husband, hubby, missus, other half, partner, daughter, son, mother, mum, mom
relative: father, dad, brother, sister, kid, kids, child, children, granddaughter, grandson
relative: niece, nephew, girl, boy, little one, lad, family, aunt, uncle, grandma, grandpa, nan
relative: boyfriend, girlfriend, fiance, cousin
list: list, run through, go through, read out, run down, overview, rundown, all of them
list: all the things, all my, what all
tell: show, give, read, explain, say
can_i: could i, might i, may i, am i able, would i be able
can_you: could you, would you, will you, are you able
"""


class Families:
    """Words by their family. Args: more: Lines as those above, of an agent's own trade."""

    def __init__(self, more: Iterable[str] = ()) -> None:
        self._heads: dict[str, str] = {}
        for line in (*OTHER_FAMILIES.splitlines(), *FAMILIES.splitlines(), *more):
            head, _, members = line.partition(":")
            for member in filter(None, map(str.strip, (head, *members.split(",")))):
                self._heads[" ".join(member.split())] = head.strip()
        self.words = frozenset(word for member in self._heads for word in member.split())
        """All that are in a family."""
        phrases = sorted(self._heads, key=len, reverse=True)
        self._phrase = re.compile(
            rf"(?<![\w'{{])(?:{'|'.join(map(re.escape, phrases))})(?![\w'}}])"
        )

    def foreign(self, own: Collection[str]) -> re.Pattern[str]:
        """Finds the words of other trades, but for those of families that have one of *own*."""
        by_head: dict[str, set[str]] = {}
        for line in OTHER_FAMILIES.strip().splitlines():
            head, _, members = line.partition(":")
            by_head.setdefault(head, {head}).update(map(str.strip, members.split(",")))
        strange = [members for members in by_head.values() if not members & set(own)]
        words = sorted((one for members in strange for one in members), key=len, reverse=True)
        return re.compile(rf"(?<![\w'])(?:{'|'.join(map(re.escape, words)) or '(?!)'})(?![\w'])")

    def heads(self, text: str) -> str:
        """*text*, which is normalized, with the name of a family for each word or phrase of it."""
        return self._phrase.sub(lambda found: self._heads[found[0]], text)
