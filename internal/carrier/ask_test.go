package carrier

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

func startAskable(t *testing.T, role string) (*Process, *bufio.Reader) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := child(role)
	c.Asker = []string{exe, "press"}
	p, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.CloseAfter(0) })
	return p, bufio.NewReader(p)
}

func TestAskLetsAProgramSayItsLastWords(t *testing.T) {
	p, out := startAskable(t, "polite")
	if said, err := out.ReadString('\n'); err != nil || said != "up\n" {
		t.Fatalf("%q, %v", said, err)
	}
	if !p.AskToEnd(patience) {
		t.Fatal("it has not ended")
	}
	if rest, err := io.ReadAll(out); err != nil || !strings.HasPrefix(string(rest), "asked:") {
		t.Errorf("last words %q, %v", rest, err)
	}
	if p.ExitCode() != 6 {
		t.Errorf("exit code %d", p.ExitCode())
	}
}

func TestAskIsBounded(t *testing.T) {
	p, out := startAskable(t, "deaf")
	if said, err := out.ReadString('\n'); err != nil || said != "up\n" {
		t.Fatalf("%q, %v", said, err)
	}
	began := time.Now()
	if p.AskToEnd(10 * time.Millisecond) {
		t.Error("it has ended, with", p.ExitCode())
	}
	if took := time.Since(began); took > patience {
		t.Errorf("asked for %v", took)
	}
}

func TestAskOneThatHasEnded(t *testing.T) {
	p, _ := startAskable(t, "last-words")
	within(t, "end of process", p.Done())
	if !p.AskToEnd(patience) || p.ExitCode() != 7 {
		t.Errorf("exit code %d", p.ExitCode())
	}
}

func TestPressKeysRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][2]string{{"ctrl-x", "1"}, {"ctrl-c", "all"}, {"ctrl-c", "-1"}} {
		if PressKeys(args[0], args[1]) == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
