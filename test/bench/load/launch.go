package load

// Launch asks for a program in a distro. The one without words announces the
// connection that is to be its stdin and stdout.
type Launch struct {
	Token, ID    string
	Distro, User string
	Argv         []string
}

// Ended says how it ended.
type Ended struct {
	Code int
	Said string // on stderr
}
