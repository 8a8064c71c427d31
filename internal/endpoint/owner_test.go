package endpoint

import (
	"errors"
	"testing"
)

func TestWhoMayOwnAPipe(t *testing.T) {
	const self = "S-1-5-21-1-2-3-1001"
	for owner, trusted := range map[string]bool{
		"S-1-5-18": true, "S-1-5-32-544": true, self: true,
		"":                        false, // nobody's
		"S-1-1-0":                 false, // everybody
		"S-1-5-7":                 false, // anonymous
		"S-1-5-11":                false, // any user
		"S-1-5-19":                false, // a service with no rights
		"S-1-5-32-545":            false, // the users
		"S-1-5-21-1-2-3-1002":     false,
		"S-1-5-21-1-2-3-10011":    false,
		"S-1-5-21-1-2-3-500":      false, // an administrator who is not elevated
		"S-1-15-2-1":              false, // a sandbox
		"s-1-5-18":                false, // not as Windows writes it
		"S-1-5-18\x00":            false,
		"S-1-5-21-1-2-3-1001 ok?": false,
	} {
		err := judgePipeOwner(owner, self)
		if trusted != (err == nil) || !trusted && !errors.Is(err, ErrOwner) {
			t.Errorf("owner %q: %v", owner, err)
		}
	}
	// We are somebody even when we could not be told who.
	if err := judgePipeOwner("", ""); !errors.Is(err, ErrOwner) {
		t.Errorf("nobody's pipe for nobody: %v", err)
	}
}
