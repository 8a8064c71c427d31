package paths

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What WSL shows of Windows in different versions: 9p, virtiofs by a tag that tells and by one
// that does not, the drive of a share, a bind mount, one drive at another place; and what is not
// Windows'.
const mountinfo = `20 1 8:32 / / rw,relatime - ext4 /dev/sdc rw,discard
21 20 0:30 / /mnt/wsl rw,relatime shared:1 - tmpfs none rw
22 20 0:40 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs;path=C:\;uid=1000;gid=1000;symlinkroot=/mnt/,cache=5,access=client,msize=65536,trans=fd,rfd=5,wfd=5
23 20 0:41 / /mnt/d\040e rw,noatime - 9p drvfs rw,aname=drvfs;path=D:;uid=0,trans=virtio
24 20 0:42 / /mnt/e rw,noatime - virtiofs drvfsaE rw
25 20 0:43 / /mnt/f rw,noatime - virtiofs 0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e rw
26 20 0:44 / /mnt/share rw,noatime - 9p drvfs rw,aname=drvfs;path=UNC\server\share;uid=0
27 20 0:40 /Users/me /home/me/win rw,noatime - 9p C:\134 rw,aname=drvfs;path=C:\;uid=1000
28 20 0:45 / /usr/lib/wsl/drivers ro - 9p none ro,aname=drivers;fmask=222
29 22 0:46 / /mnt/c/linux rw - tmpfs tmpfs rw
30 20 0:47 / /mnt/g rw - virtiofs unknown rw
31 20 0:48 / /mnt/h rw - drvfs H:/ rw
`

func testDrives() Drives {
	return ReadDrives(mountinfo, func(tag string) string {
		return map[string]string{"0d8e7a51-6a83-4d0b-9f7d-cd5b0a3d6b2e": `F:\`}[tag]
	})
}

func TestSource(t *testing.T) {
	const refused = "refused"
	for source, want := range map[string]string{
		"/mnt/c":                   `C:\`,
		"/mnt/c/":                  `C:\`,
		"/mnt/c/Users/me/a b":      `C:\Users\me\a b`,
		"/mnt/c/x/../y//z/":        `C:\y\z`,
		"/mnt/d e/x":               `D:\x`,
		"/mnt/e/x":                 `E:\x`,
		"/mnt/f/x":                 `F:\x`,
		"/mnt/h":                   `H:\`,
		"/mnt/share":               `\\server\share`,
		"/mnt/share/x":             `\\server\share\x`,
		"/home/me/win/src":         `C:\Users\me\src`,
		"/home/me/win":             `C:\Users\me`,
		"/home/me":                 refused,
		"/mnt/cc":                  refused,
		"/mnt/c/linux/x":           refused,
		"/mnt/c/../../etc":         refused,
		"/mnt/g/x":                 refused,
		"/mnt/wsl":                 refused,
		"/usr/lib/wsl/drivers":     refused,
		"/var/run/docker.sock":     refused,
		"/":                        refused,
		`/home/me/C:\src`:          `C:\src`,
		`/mnt/c/proj/D:\data\x`:    `D:\data\x`,
		"/home/me/c:/src":          "c:/src",
		`/home/me/\\.\pipe\x`:      `\\.\pipe\x`,
		`C:\src`:                   `C:\src`,
		"C:/src":                   "C:/src",
		"data":                     "data",
		"./data":                   "./data",
		"":                         "",
		`\\server\share`:           `\\server\share`,
		"//./pipe/docker_engine":   "//./pipe/docker_engine",
		`/mnt/c/proj\sub`:          "C:\\proj\uf05csub",
		"/home/me/.wine/drive_c/x": refused,
	} {
		got, err := testDrives().TranslateSource(source)
		var linux *LinuxError
		if errors.As(err, &linux) {
			got = refused
		}
		if got != want || err != nil && (linux == nil || linux.Path != source) {
			t.Errorf("%q is %q (%v), want %q", source, got, err, want)
		}
	}
}

func TestBind(t *testing.T) {
	for text, want := range map[string]string{
		`/mnt/c/src:C:\src`:        `C:\src:C:\src`,
		`/mnt/c/src:C:\src:ro`:     `C:\src:C:\src:ro`,
		`/mnt/c/src:C:/src`:        `C:\src:C:/src`,
		`/mnt/c:D:`:                `C:\:D:`,
		`/mnt/c:C:\host:rw`:        `C:\:C:\host:rw`,
		`/mnt/c/src:/src`:          `C:\src:/src`,
		`/mnt/c/src:/src:ro`:       `C:\src:/src:ro`,
		`/mnt/c:/dst:ro`:           `C:\:/dst:ro`,
		`/home/me/C:\x:C:\y`:       `C:\x:C:\y`,
		`/home/me/C:\x:C:\y:ro`:    `C:\x:C:\y:ro`,
		`/home/me/C:/x:D:/y`:       `C:/x:D:/y`,
		`/home/me/C:\x:/y`:         `C:\x:/y`,
		`C:\x:C:\y`:                `C:\x:C:\y`,
		`data:C:\data`:             `data:C:\data`,
		`data:/data:ro`:            `data:/data:ro`,
		`./x:C:\y`:                 `./x:C:\y`,
		`/mnt/c/x`:                 `/mnt/c/x`, // a volume without a name at that place
		`//./pipe/a://./pipe/b`:    `//./pipe/a://./pipe/b`,
		`\\.\pipe\a:\\.\pipe\b`:    `\\.\pipe\a:\\.\pipe\b`,
		`/mnt/c/x:\\.\pipe\b`:      `C:\x:\\.\pipe\b`,
		`/home/me/\\.\pipe\a:C:\y`: `\\.\pipe\a:C:\y`,
		``:                         ``,
		`:`:                        `:`,
		`/mnt/c/a:b`:               `C:\a:b`,
	} {
		if got, err := testDrives().translateBind(text); err != nil || got != want {
			t.Errorf("%q is %q (%v), want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`/home/me:C:\src`, `/var/run/docker.sock:/var/run/docker.sock`, `/mnt/wsl/x:C:\y:ro`} {
		if got, err := testDrives().translateBind(text); err == nil {
			t.Errorf("%q is %q, want it refused", text, got)
		}
	}
}

// Only the text of a source changes.
func TestBodyKeepsEverythingElse(t *testing.T) {
	for body, want := range map[string]string{
		`{"HostConfig":{"Binds":["/mnt/c/a:C:\\a"]}}`: `{"HostConfig":{"Binds":["C:\\a:C:\\a"]}}`,
		"{ \"n\":1.50e+3 ,\"HostConfig\" :{\t\"Binds\": [\n\"/mnt/c/<&>:C:/a\" , \"v:C:/b\"] },\"n\":9007199254740993}\n":                        "{ \"n\":1.50e+3 ,\"HostConfig\" :{\t\"Binds\": [\n\"C:\\\\\uf03c&\uf03e:C:/a\" , \"v:C:/b\"] },\"n\":9007199254740993}\n",
		`{"hostconfig":{"BINDS":["/mnt/c/a:C:/a"]},"HOSTCONFIG":{"bind\u0073":["/mnt/c/b:C:/b"],"Bindſ":["/mnt/c/c:C:/c"]}}`:                     `{"hostconfig":{"BINDS":["C:\\a:C:/a"]},"HOSTCONFIG":{"bind\u0073":["C:\\b:C:/b"],"Bindſ":["C:\\c:C:/c"]}}`,
		`{"HostConfig":{"Binds":["/mnt/c/a:C:/a"],"Binds":["\/mnt\/c\/b:C:/b"]}}`:                                                                `{"HostConfig":{"Binds":["C:\\a:C:/a"],"Binds":["C:\\b:C:/b"]}}`,
		`{"HostConfig":{"Mounts":[{"Source":"/mnt/c/a","Target":"/mnt/c/a","Type":"bind"}]}}`:                                                    `{"HostConfig":{"Mounts":[{"Source":"C:\\a","Target":"/mnt/c/a","Type":"bind"}]}}`,
		`{"HostConfig":{"Mounts":[{"type":"volume","Source":"/home","TYPE":"bind","source":"/mnt/c/b","Source":"/mnt/c"}]}}`:                     "",
		`{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/home","Type":"volume"}]}}`:                                                           "",
		`{"HostConfig":{"Mounts":[{"Type":"volume","Source":"/mnt/c"},{"Type":"tmpfs"},7,null,{"Type":["bind"],"Source":{"Source":"/mnt/c"}}]}}`: "",
		`{"Binds":["/mnt/c/a:C:/a"],"HostConfig":null,"Env":["/mnt/c/a:C:/a"],"Cmd":["/home:C:/x"]}`:                                             "",
		`{"HostConfig":{"Binds":{"0":"/mnt/c/a:C:/a"}}}`:                                                                                         "",
		``: "", " \n": "", `[]`: "", `"/mnt/c"`: "",
		`{"HostConfig":{"Binds":["/mnt/c/a:C:/a"]}} behind`: `{"HostConfig":{"Binds":["C:\\a:C:/a"]}} behind`,
	} {
		got, err := testDrives().EditContainer(t.Context(), []byte(body))
		if strings.Contains(body, `"TYPE":"bind"`) { // and one of its sources is Linux'
			if err == nil {
				t.Errorf("%s is %s, want it refused", body, got)
			}
			continue
		}
		if err != nil || string(got) != want {
			t.Errorf("%s\nis   %s (%v)\nwant %s", body, got, err, want)
		}
	}
	for _, body := range []string{`{"HostConfig":{"Binds":["/mnt/c/a:C:/a"`, "not JSON", "\xef\xbb\xbf{}", "{\x00}", "\x1f\x8b", `{"HostConfig":{"Binds":["/mnt/c/a:C:/a"]}`} {
		if got, err := testDrives().EditContainer(t.Context(), []byte(body)); !errors.Is(err, ErrNotJSON) {
			t.Errorf("%q is %s (%v)", body, got, err)
		}
	}
	got, err := testDrives().EditService(t.Context(), []byte(`{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"bind","Source":"/mnt/c/a","Target":"C:/a"}]}},"HostConfig":{"Binds":["/mnt/c/a:C:/a"]}}`))
	if want := `{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Type":"bind","Source":"C:\\a","Target":"C:/a"}]}},"HostConfig":{"Binds":["/mnt/c/a:C:/a"]}}`; err != nil || string(got) != want {
		t.Errorf("a service is %s (%v)", got, err)
	}
}

// A service's type of mount may be in any case, and is bind without one.
func TestMountsOfOtherTypes(t *testing.T) {
	const mounts = `{"TaskTemplate":{"ContainerSpec":{"Mounts":[{%s"Source":"/mnt/c/a","Target":"C:/a"}]}}}`
	for kind, binds := range map[string]bool{`"Type":"bind",`: true, `"Type":"BIND",`: true, `"type":"",`: true, ``: true, `"Type":null,`: true, `"Type":"volume",`: false, `"Type":"npipe",`: false} {
		was := fmt.Sprintf(mounts, kind)
		got, err := testDrives().EditService(t.Context(), []byte(was))
		if want := strings.Replace(was, "/mnt/c/a", `C:\\a`, 1); err != nil || binds && string(got) != want || !binds && got != nil {
			t.Errorf("%s is %s (%v)", was, got, err)
		}
	}
}

// Nobody goes on with a body whose client has left.
func TestTranslationEndsWithItsClient(t *testing.T) {
	const binds = 100000
	ctx, leave := context.WithCancel(t.Context())
	followed := 0
	d := testDrives().FollowingLinks(func(string) string {
		if followed++; followed == 3 {
			leave()
		}
		return "/mnt/c/x"
	})
	body := `{"HostConfig":{"Binds":["/l:C:/l"` + strings.Repeat(`,"/l:C:/l"`, binds) + `]}}`
	if got, err := d.EditContainer(ctx, []byte(body)); !errors.Is(err, context.Canceled) || got != nil || followed > 3 {
		t.Errorf("%d paths were followed, %v", followed, err)
	}
}

// The cost of a text grows with its length, however many colons it has.
func TestColonsCostNoMoreThanTheyAreLong(t *testing.T) {
	late := time.Now().Add(2 * time.Minute) // each takes a moment
	for _, part := range []string{":", "C:", `\\:`, `C:\x:`, "/:", `//./:`, "\n:"} {
		text := "/mnt/c/" + strings.Repeat(part, (1<<20)/len(part))
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = testDrives().translateBind(text)
		}()
		select {
		case <-done:
		case <-time.After(time.Until(late)):
			t.Fatalf("1 MiB of %q takes too long", part)
		}
	}
}

// Bodies that real clients have sent to test/recorder: the docker command of Debian 12 and a later
// one, and Debian's docker-compose and docker-py. The names of the files tell which.
func TestBodiesOfRealClients(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no bodies", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(string(body), `"/mnt/c/`, `"C:\\`)
		translate := testDrives().EditContainer
		if strings.HasPrefix(filepath.Base(file), "service-") {
			translate = testDrives().EditService
		}
		got, err := translate(t.Context(), body)
		if err != nil || string(got) != want || want == string(body) {
			t.Errorf("%s\nis   %s (%v)\nwant %s", file, got, err, want)
		}
	}
}

// What is not a path stays, to the byte.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"HostConfig":{"Binds":["/mnt/c/a:C:\\a","v:C:\\b"],"Mounts":[{"Type":"bind","Source":"/mnt/c"}]}}`,
		`{"hostCONFIG":{"binds":[],"Binds":["/home/x:C:/x"]},"x":1e400}`,
		`{"HostConfig":{"Mounts":[{"Source":"/mnt/c/x","Source":"/mnt/d e","type":"bind"}]}} {}`,
		`{"Env":["/mnt/c/a:C:/a"],"/mnt/c":"/mnt/c","HostConfig":{"Binds":["/mnt/c/a:C:/a"],"Mounts":[{"Type":"volume","Source":"/mnt/c"},{"Type":"bind","Source":"/mnt/c","Target":"/mnt/c"}]}} "/mnt/c"`,
		`{"TaskTemplate":{"ContainerSpec":{"Mounts":[{"Source":"/mnt/c","TYPE":"bind","Target":"/mnt/c"}],"Dir":"/mnt/c"}}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		container, err1 := testDrives().EditContainer(t.Context(), body)
		service, err2 := testDrives().EditService(t.Context(), body)
		if !bytes.Equal(before, body) {
			t.Fatal("the body itself was changed")
		}
		if err1 == nil && container != nil {
			same(t, body, container, "HostConfig Binds *", "HostConfig Mounts * Source")
		}
		if err2 == nil && service != nil {
			same(t, body, service, "TaskTemplate ContainerSpec Mounts * Source")
		}
	})
}

// same wants two bodies to be the same but for the texts at some places.
func same(t *testing.T, was, is []byte, places ...string) {
	t.Helper()
	if !bytes.Contains(bytes.ToLower(was), []byte("mnt")) && !bytes.ContainsAny(was, `:\`) {
		t.Fatalf("%q names no drive, and is %q", was, is)
	}
	a, b := was, is
	for _, place := range places {
		a, b = masked(a, strings.Fields(place)), masked(b, strings.Fields(place))
	}
	if !bytes.Equal(a, b) {
		t.Fatalf("more than sources has changed:\n%q\n%q", was, is)
	}
}

// masked is a value of JSON, and what is behind it, with nothing in the texts at a place. That is the
// fields that lead there, * for the elements of an array. A Source is one in a bind mount only.
func masked(raw []byte, place []string) []byte {
	if len(place) == 0 {
		if raw[0] == '"' {
			return []byte(`""`)
		}
		return raw
	}
	var mount struct{ Type string }
	_ = json.Unmarshal(raw, &mount) // of what is no mount it is empty
	d := json.NewDecoder(bytes.NewReader(raw))
	first, err := d.Token()
	object := first == json.Delim('{')
	if object == (place[0] == "*") || place[0] == "Source" && mount.Type != "" && !strings.EqualFold(mount.Type, "bind") {
		return raw // it is another kind of value
	}
	var out []byte
	at := 0
	for err == nil && d.More() {
		name := "*"
		if object {
			key, _ := d.Token()
			name, _ = key.(string)
		}
		var value json.RawMessage
		if err = d.Decode(&value); err != nil || !strings.EqualFold(name, place[0]) {
			continue
		}
		end := int(d.InputOffset())
		out = append(append(out, raw[at:end-len(value)]...), masked(value, place[1:])...)
		at = end
	}
	return append(out, raw[at:]...)
}

// A directory of a drive is one by whatever name; a link on the drive stays what it is called.
func TestLinksAreFollowed(t *testing.T) {
	links := map[string]string{"/home/me/src": "/mnt/c/src", "/home/me/x": "/home/me/y", "/mnt/c/link": "/home/me"}
	d := ReadDrives("2 1 0:50 / /mnt/c rw - 9p C:\\134 rw,aname=drvfs;path=C:\\;uid=1000\n", nil).FollowingLinks(func(path string) string { return links[path] })
	for source, want := range map[string]string{"/home/me/src": `C:\src`, "/home/me/./src/": `C:\src`, "/mnt/c/link": `C:\link`, "/home/me/x": "", "/home/me/none": ""} {
		got, err := d.TranslateSource(source)
		var linux *LinuxError
		if got != want || (want == "") != errors.As(err, &linux) {
			t.Errorf("%s: %q, %v; want %q", source, got, err, want)
		}
	}
}
