package e2e

import "testing"

// What the Windows program answers a shell, for the Tab key after a flag.
func TestCompletion(t *testing.T) {
	ctx, s, _ := onStage(t)
	for flag, want := range map[string]string{
		"--distro": "Debian\ndocker-desktop\nPlain\n:36\n",
		"--pipe":   "docker_engine_windows\ndockerDesktopWindowsEngine\ndocker_engine\n:36\n",
		"--socket": ":4\n",
	} {
		out, err := s.Windows(ctx, "__complete", "up", flag, "").Output()
		if string(out) != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", flag, out, err, want)
		}
	}
}
