package install

import "testing"

// Rules that are only watched hinder nobody; none are no news.
func TestRulesWords(t *testing.T) {
	if rulesWords(0, 1) != "" || rulesWords(2, 0) == rulesWords(2, 1) || rulesWords(2, 1) == "" {
		t.Errorf("%q, %q, %q", rulesWords(0, 1), rulesWords(2, 0), rulesWords(2, 1))
	}
}
