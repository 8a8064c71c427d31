package main

import (
	"math/rand/v2"
	"time"
)

// A step is one fault to come.
type step struct {
	fault         string
	ward          int
	long          time.Duration // what the fault makes of it
	before, after time.Duration // calm weather around it
}

// order is the order of the faults, which the seed alone decides.
type order struct {
	dice  *rand.Rand
	wards int
	count int
	decks map[bool][]string // what is left of a round, of faults that end a carrier and of others
}

func newOrder(seed uint64, wards int) *order {
	return &order{dice: rand.New(rand.NewPCG(seed, 1)), wards: wards, decks: map[bool][]string{}}
}

// next gives the next fault. Every kind comes once in a round. Every third one
// ends a carrier, of one ward after the other: a carrier that was lost within a
// minute of its start is waited for longer each time, as it should be, and then
// more time would go by with waiting than with traffic.
func (o *order) next() step {
	const hardEvery = 3
	hard := o.count%hardEvery == 0
	s := step{
		fault:  o.draw(hard),
		ward:   o.dice.IntN(o.wards),
		long:   o.between(500*time.Millisecond, 6*time.Second),
		before: o.between(500*time.Millisecond, 3*time.Second),
		after:  o.between(200*time.Millisecond, 2*time.Second),
	}
	if hard {
		s.ward = o.count / hardEvery % o.wards
	}
	o.count++
	return s
}

// draw takes a card, from a new deck when the old one is used up.
func (o *order) draw(hard bool) string {
	if len(o.decks[hard]) == 0 {
		for _, f := range faults {
			if f.hard == hard {
				o.decks[hard] = append(o.decks[hard], f.name)
			}
		}
		deck := o.decks[hard]
		o.dice.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	}
	card := o.decks[hard][0]
	o.decks[hard] = o.decks[hard][1:]
	return card
}

func (o *order) between(low, high time.Duration) time.Duration {
	return low + time.Duration(o.dice.Int64N(int64(high-low)))
}
