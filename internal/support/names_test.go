package support

import (
	"archive/zip"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// No file of a report, and no name of one, has anything of a user's, machine's, server's or share's name, wherever
// one of them is plain.
func TestReportHasNoGeneratedName(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	random := rand.New(rand.NewPCG(20, 13))
	word := func() string {
		text := ""
		for range 3 {
			text += []string{"qa", "zux", "xov", "vyz", "jüq", "quv"}[random.IntN(6)]
		}
		return text
	}
	for range 40 {
		first, last, machine, server, share, domain := word(), word(), word()+"-PC", word(), word()+" files", strings.ToUpper(word())
		user := first + []string{" ", "'", ", ", "."}[random.IntN(4)] + last
		t.Setenv("USERNAME", first+"."+last)
		t.Setenv("COMPUTERNAME", machine)
		parts := []Part{
			{"logs/" + user + "-0123.log", "time=1 level=WARN msg=" + strconv.Quote("open /home/"+user+": permission denied") + "\n", time.Now()},
			{"status.json", `{"log": ` + strconv.Quote(`C:\Users.old\`+user+`\x`) + `, "share": ` + strconv.Quote(`\\`+server+`\`+share+`\x`) + "}\n", time.Now()},
			{"doctor.txt", "ok  " + user + " may use it, on " + strings.ToLower(machine) + ", as " + domain + `\` + first + ": fine; see " + strings.ToUpper(user) + "\n", time.Now()},
			{"config.txt", "to = 'npipe:////" + server + "/pipe/x' # of " + share + ", " + domain + `\` + first + "\n", time.Now()},
			{"logs/error.txt", "open file:///D:/Users/" + strings.ReplaceAll(user, " ", "%20") + "/x, " + first + "@" + domain + "\n", time.Now()},
		}
		file, err := WriteZip(filepath.Join(t.TempDir(), "report.zip"), parts, Private{})
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.OpenReader(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ToLower(fmt.Sprintf("%s\n%s", f.Name, b))
			for _, name := range []string{first, last, machine, server, share, domain} {
				if strings.Contains(text, strings.ToLower(name)) {
					t.Fatalf("%s of %q is left in %s", name, []string{user, machine, server, share, domain}, text)
				}
			}
		}
		z.Close()
	}
}
