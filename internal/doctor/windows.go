package doctor

import (
	"context"
	"errors"
	"syscall"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
)

// Errors of Windows when something keeps a program from being started or read (winerror.h).
const (
	errorVirusInfected   = syscall.Errno(225)
	errorVirusDeleted    = syscall.Errno(226)
	errorBlockedByPolicy = syscall.Errno(1260) // AppLocker, and its predecessor
	errorBlockedByWDAC   = syscall.Errno(4551) // an App Control policy
)

// checkWindows looks at what Windows does with the program.
func (e *exam) checkWindows(ctx context.Context) error {
	if e.Installed == nil || e.Blocked == nil {
		return errSkip
	}
	if words, err := e.Installed(ctx); err != nil {
		_ = e.tellFailed(codes.Installed, err.Error(), err)
	} else {
		e.tellOK(codes.Installed, words)
	}
	words, err := e.Blocked()
	for _, why := range []error{err, e.wslErr} {
		if BlockedBy(why) != "" {
			return e.tellFailed(codes.NotBlocked, BlockedBy(why)+" has kept a program from Windows: "+why.Error(), why)
		}
	}
	e.tellOK(codes.NotBlocked, words)
	return nil
}

// BlockedBy names what keeps a program from being started, "" for an error that is none of that.
func BlockedBy(err error) string {
	switch {
	case errors.Is(err, errorVirusInfected), errors.Is(err, errorVirusDeleted):
		return "Defender, or another virus scanner,"
	case errors.Is(err, errorBlockedByPolicy):
		return "AppLocker, or another policy,"
	case errors.Is(err, errorBlockedByWDAC):
		return "an App Control policy"
	}
	return ""
}
