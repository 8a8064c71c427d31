package e2e

import "testing"

// What the Windows program answers a shell, for the Tab key after a flag. A WSL that takes its time is not
// waited for, and the key is pressed again.
func TestCompletion(t *testing.T) {
	t.Parallel()
	ctx, s, _ := onWindows(t)
	for flag, want := range map[string]string{
		"--distro": "Debian\ndocker-desktop\nPlain\n:36\n",
		"--pipe":   "docker_engine_windows\ndockerDesktopWindowsEngine\ndocker_engine\n:36\n",
		"--socket": ":4\n",
	} {
		until(ctx, t, "the words for "+flag, func() bool {
			out, err := s.Windows(ctx, "__complete", "up", flag, "").Output()
			if string(out) != want || err != nil {
				t.Logf("%s: %q, %v, want %q", flag, out, err, want)
			}
			return string(out) == want && err == nil
		})
	}
}
