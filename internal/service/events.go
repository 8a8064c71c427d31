package service

// Event is something that happens around a service.
type Event int

const (
	Suspend    Event = iota + 1 // the machine is about to sleep
	Resume                      // it has woken up
	Connect                     // somebody is at the session's screen again, at the machine or from afar
	Disconnect                  // nobody is any more; its programs run on
	Logon
	Logoff
	Lock
	Unlock
)

// String is for a log.
func (e Event) String() string {
	names := [...]string{
		Suspend: "the machine goes to sleep", Resume: "the machine has woken up",
		Connect: "the session is connected", Disconnect: "the session is disconnected",
		Logon: "a user has logged on", Logoff: "a user has logged off",
		Lock: "the session is locked", Unlock: "the session is unlocked",
	}
	if e <= 0 || int(e) >= len(names) {
		return "an unknown event"
	}
	return names[e]
}

// MayResume tells that what has stood still may move again: the machine has woken up, or somebody is back
// at the session.
func (e Event) MayResume() bool { return e == Resume || e == Connect || e == Unlock }

// control is what the SCM asks for or tells.
type control int

const (
	stop control = iota + 1 // also before a shutdown, and at a logoff for the user's own instance
	interrogate
	power
	session
)

// request is a control with its event type. What Windows points to beside it (which
// session, which power setting) is gone when the control handler has returned, which is
// before golang.org/x/sys hands the control on, so it is never looked at.
type request struct {
	control control
	event   uint32
}

// events are the types of winuser.h (PBT_*, WTS_*) that mean something here. A wake-up
// has PBT_APMRESUMEAUTOMATIC always and PBT_APMRESUMESUSPEND at times, behind it.
var events = map[request]Event{
	{power, 0x04}:   Suspend,
	{power, 0x12}:   Resume,
	{session, 0x01}: Connect,
	{session, 0x02}: Disconnect,
	{session, 0x03}: Connect,
	{session, 0x04}: Disconnect,
	{session, 0x05}: Logon,
	{session, 0x06}: Logoff,
	{session, 0x07}: Lock,
	{session, 0x08}: Unlock,
}
