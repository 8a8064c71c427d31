package install

import "testing"

// What the Task Scheduler and the service control manager tell, in words.
func TestStateWords(t *testing.T) {
	line := func(state, result string) string {
		return "\"PC\",\"\\docker-wsl-bridge S-1\",\"N/A\",\"" + state + "\",\"Interactive only\",\"11/28/2026 9:00:00 AM\",\"" + result + "\",\"PC\\me\",\"C:\\x.exe run\"\r\n"
	}
	for text, want := range map[string]string{
		line("Running", "267009"):           "the task is running (Running)",
		line("Ready", "0"):                  "the task's last run ended with 0x0 (Ready)",
		line("Ready", "1"):                  "the task's last run ended with 0x1 (Ready)",
		line("Bereit", "267011"):            "the task has not run yet (Bereit)",
		line("\x81", "-2147024894"):         "the task's last run ended with 0x80070002",
		line("Ready", "1") + line("x", "2"): "the task's last run ended with 0x1 (Ready)",
		line("Ready", "N/A"):                "",
		"\"a\",\"b\"":                       "",
		"\"":                                "",
		"":                                  "",
	} {
		if got := taskWords(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for _, c := range []struct {
		state, code uint32
		want        string
	}{
		{4, 0, "is running"}, {2, 0, "is starting"}, {3, 0, "is stopping"}, {7, 0, "is in state 7"},
		{1, 0, "is stopped, and ended with exit code 0x0"}, {1, 0x20000001, "is stopped, and ended with exit code 0x20000001"},
		{1, 1077, "was not started since Windows was"},
	} {
		if got := instanceWords(c.state, c.code); got != c.want {
			t.Errorf("state %d, code %d: %q, want %q", c.state, c.code, got, c.want)
		}
	}
}

// Whose instance it is, of those of several sessions.
func TestInstanceOfThisSession(t *testing.T) {
	a, b := ServiceName+"_1A2B3", ServiceName+"_4c5d6"
	for _, c := range []struct {
		instances, logons []string
		want              string
	}{
		{nil, []string{"1a2b3"}, ""},
		{[]string{a}, []string{"0"}, a},
		{[]string{a, b}, []string{"0"}, ""},
		{[]string{a, b}, []string{"0", "4c5d6"}, b},
		{[]string{a, b}, []string{"1a2b3"}, a},
	} {
		if got := (Registered{Instances: c.instances}).instanceOf(c.logons); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.logons, c.instances, got, c.want)
		}
	}
}
