package endpoint

import (
	"slices"
	"testing"
)

func TestAllowed(t *testing.T) {
	got, err := ParseAllowed(`docker-users, S-1-5-11,MACHINE\me`)
	if want := []string{"docker-users", "S-1-5-11", `MACHINE\me`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	for _, list := range []string{"", ",", "a,", "a\x1b"} {
		if got, err := ParseAllowed(list); err == nil {
			t.Errorf("%q is %q", list, got)
		}
	}
}

// Nobody has access who is not named; only the user may do all.
func TestPipeAccess(t *testing.T) {
	const me = "S-1-5-21-1-2-3-1001"
	for _, tc := range []struct {
		allowed []string
		want    string
	}{
		{nil, "O:" + me + "D:P(A;;GA;;;" + me + ")(A;;GRGW;;;S-1-5-18)(A;;GRGW;;;S-1-5-32-544)"},
		{[]string{"S-1-5-11"}, "O:" + me + "D:P(A;;GA;;;" + me + ")(A;;GRGW;;;S-1-5-11)"},
	} {
		if got := pipeAccess(me, tc.allowed); got != tc.want {
			t.Errorf("%q: %s", tc.allowed, got)
		}
	}
}
