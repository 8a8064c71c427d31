package support

import (
	"strings"
	"testing"
)

// Nothing of a person or a machine is left, in whatever form it stands; what helps is.
func TestText(t *testing.T) {
	r := newRedactor()
	r.learn(userName, "Jane.Doe")
	r.learn(hostName, "JANES-PC")
	r.learn(wordName, "build.example.org")
	for name, tc := range map[string]struct{ text, want string }{
		"a home of Windows":      {`open C:\Users\Jane.Doe\AppData\x: denied`, `open C:\Users\USER1\AppData\x: denied`},
		"as JSON":                {`"log":"C:\\Users\\jane.doe\\x"`, `"log":"C:\\Users\\USER1\\x"`},
		"as a distro sees it":    {`/mnt/c/Users/Jane.Doe/src`, `/mnt/c/Users/USER1/src`},
		"a home of another":      {`/home/alice/.docker and C:\Users\bob\x`, `/home/USER2/.docker and C:\Users\USER3\x`},
		"an owner":               {`owner=alice:docker mode=0660`, `owner=USER2:docker mode=0660`},
		"an owner, as JSON":      {`"owner":"carol:staff"`, `"owner":"USER4:USER5"`},
		"a name of one letter":   {`/home/x/a x y`, `/home/USER6/a x y`},
		"a word, and a part":     {`JANES-PC, janes-pc.local, MYJANES-PC, "janes-pc"`, `HOST1, HOST1.local, MYJANES-PC, "HOST1"`},
		"behind an escape":       {`line one\njanes-pc`, `line one\nHOST1`},
		"an owner in a file":     {`owner = "bob:docker"`, `owner = "USER3:docker"`},
		"the system's":           {`owner=root:docker C:\Users\Public\x /home/root`, `owner=root:docker C:\Users\Public\x /home/root`},
		"a command":              {`exec = ["ssh", "carol@build.example.org", "docker"]`, `exec = ["ssh", "USER4@WORD1", "docker"]`},
		"an engine's address":    {`tcp://engine.example.com:2375 failed, engine.example.com`, `tcp://HOST2:2375 failed, HOST2`},
		"credentials in one":     {`https://carol:hunter2@registry.example.com/v2`, `https://SECRET@HOST3/v2`},
		"a header":               {`X-Registry-Auth: eyJhbGciOiJ9 Authorization: Bearer abc.def`, `X-Registry-Auth: SECRET Authorization: Bearer SECRET`},
		"a variable":             {`GITHUB_TOKEN=abcdef password: "hunter2", api-key=1`, `GITHUB_TOKEN=SECRET password: "SECRET", api-key=SECRET`},
		"tokens of services":     {`ghp_0123456789abcdef0123, AKIAIOSFODNN7EXAMPLE`, `SECRET, SECRET`},
		"a JWT":                  {`x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3.SflKxwRJSMeKKF y`, `x SECRET y`},
		"a SID":                  {`\\.\pipe\docker-wsl-bridge-S-1-5-21-1-2-3-1001-0123`, `\\.\pipe\docker-wsl-bridge-S-1-5-21-SECRET`},
		"what helps":             {`agent-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 kernel 5.15.153.1-2 pid=4711`, `agent-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 kernel 5.15.153.1-2 pid=4711`},
		"pipes, sockets, distro": {`npipe:////./pipe/docker_engine_windows /run/docker-wsl-bridge/windows.sock Debian`, `npipe:////./pipe/docker_engine_windows /run/docker-wsl-bridge/windows.sock Debian`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRedactor()
			r.learn(userName, "Jane.Doe")
			r.learn(hostName, "JANES-PC")
			r.learn(wordName, "build.example.org")
			for _, name := range []string{"alice", "bob", "carol", "staff"} {
				r.learn(userName, name)
			}
			r.learn(userName, "x")
			r.learn(hostName, "engine.example.com")
			r.learn(hostName, "registry.example.com")
			r.see(tc.text)
			if got := r.text(tc.text); got != tc.want {
				t.Errorf("%s\nis %s\nnot %s", tc.text, got, tc.want)
			}
		})
	}
}

// A name that is plain in one text is found in another, where it stands alone.
func TestANameIsFoundEverywhere(t *testing.T) {
	r := newRedactor()
	r.see(`open /home/alice/.docker/config.json`)
	r.see(`to = { exec = ["ssh", "root@build.example.org"] }`)
	if got := r.text("alice asks build.example.org, malice does not"); got != "USER1 asks HOST1, malice does not" {
		t.Error(got)
	}
}

// Whatever comes, nothing of a name that was told is left as a word.
func FuzzText(f *testing.F) {
	f.Add(`C:\Users\secretname\x /home/secretname owner=secretname:x "secretname"`)
	f.Add("token=secretname secretname@host SecretName")
	f.Fuzz(func(t *testing.T, text string) {
		r := newRedactor()
		r.learn(userName, "secretname")
		r.see(text)
		got := strings.ToLower(r.text(text))
		for i := strings.Index(got, "secretname"); i >= 0; {
			before, behind := got[:i], got[i+len("secretname"):]
			if (before == "" || strings.ContainsAny(before[len(before)-1:], ` \/"'=:@.`)) && (behind == "" || strings.ContainsAny(behind[:1], ` \/"'=:@.`)) {
				t.Fatalf("%q became %q", text, got)
			}
			next := strings.Index(behind, "secretname")
			if next < 0 {
				break
			}
			i += len("secretname") + next
		}
	})
}
