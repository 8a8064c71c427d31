package bridge

import (
	"bytes"
	"strings"
	"testing"
)

// What the other half sends is one object a line, as specified and no longer
// than that; an error has none of its bytes.
func TestControlMessagesAreAsSpecified(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		ok         bool
	}{
		{"a request", `{"listen":{"link":"windows","socket":"/run/x"}}`, true},
		{"an unknown field", `{"listen":{"link":"windows","marker":"/run/x"}}`, false},
		{"an unknown request", `{"marker":{}}`, false},
		{"two objects", `{}{"marker":1}`, false},
		{"a brace too many", `{"users":{}}}`, false},
		{"another type", `["marker"]`, false},
		{"half of it", `{"listen":{"link":"marker`, false},
		{"no JSON", "marker\x1b[2J", false},
		{"nothing", "", false},
		{"too long", `{"listen":{"link":"` + strings.Repeat("marker", maxMessage/6) + `"}}`, false},
	} {
		var r request
		err := newMessages(bytes.NewBufferString(tc.line + "\n")).receiveMessage(&r)
		if tc.ok != (err == nil) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "marker") {
			t.Errorf("%s: the error has the peer's bytes: %v", tc.name, err)
		}
	}
}
