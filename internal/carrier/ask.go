package carrier

import "time"

// lastAsk is the grace after the last way to ask.
const lastAsk = time.Second

// asking is a way to ask a program to end.
type asking int

const (
	politely asking = iota // SIGTERM to its group; Ctrl-C at its console
	firmly                 // Ctrl-Break there, which nobody inherits an ignorance of; no such on Linux
)

// AskToEnd asks the program and all in its group, or at its console, to end, and waits for grace;
// on Windows with Ctrl-C, and should that not help with Ctrl-Break for another second. It tells
// whether the program has ended, and is in vain on Windows without Command.Asker.
func (p *Process) AskToEnd(grace time.Duration) (ended bool) {
	if p.tree.askToEnd(politely) == nil && p.endsWithin(grace) || p.tree.askToEnd(firmly) == nil && p.endsWithin(lastAsk) {
		return true
	}
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// PressKeys is what Command.Asker's program does, as its last act, with the two arguments
// that Ask has added: it leaves its console for that of another process and presses keys there.
// Elsewhere that is errors.ErrUnsupported.
func PressKeys(keys, process string) error { return pressKeys(keys, process) }
