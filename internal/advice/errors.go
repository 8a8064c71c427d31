package advice

import "errors"

// What can be wrong with a command, and is cured by the same everywhere.
var (
	ErrSeveral      = errors.New("bridges for several sockets run")
	ErrOtherForm    = errors.New("it is installed in another way")
	ErrNeedsAdmin   = errors.New("this takes an administrator")
	ErrNotYours     = errors.New("this window belongs to another account than the desktop")
	ErrWindowsOnly  = errors.New("this is for Windows: there it starts at logon")
	ErrNotInstalled = errors.New("it is not installed for this user")
	ErrNoPrograms   = errors.New("a program of the download is missing")
	ErrNotUp        = errors.New("it was started and has not come up")
	ErrLegacyArgs   = errors.New(`the command must be one argument: [debug] [cli] "COMMAND LINE"`)
	ErrLegacyOS     = errors.New("this form of the command line is for Windows only")
)
