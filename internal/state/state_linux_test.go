package state

import (
	"testing"
)

func TestDir(t *testing.T) {
	for _, c := range []struct {
		goos string
		env  map[string]string
		want string
	}{
		{"windows", map[string]string{"LOCALAPPDATA": `C:\Users\me\AppData\Local`, "HOME": "/x"}, `C:\Users\me\AppData\Local\docker-wsl-bridge`},
		{"windows", map[string]string{"LOCALAPPDATA": `D:\`}, `D:\docker-wsl-bridge`},
		{"windows", map[string]string{"HOME": "/x"}, ""},
		{"linux", map[string]string{"XDG_STATE_HOME": "/state", "HOME": "/home/me"}, "/state/docker-wsl-bridge"},
		{"linux", map[string]string{"XDG_STATE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.local/state/docker-wsl-bridge"},
		{"linux", map[string]string{"HOME": "/home/me"}, "/home/me/.local/state/docker-wsl-bridge"},
		{"linux", map[string]string{"HOME": "relative"}, ""},
	} {
		got, err := dirOf(c.goos, func(name string) string { return c.env[name] })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s, %v: %q, %v; want %q", c.goos, c.env, got, err, c.want)
		}
	}
}
