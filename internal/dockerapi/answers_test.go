package dockerapi

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// ends are where answers end, and how.
type ends struct {
	at     int
	mark   Mark
	status int
}

// marks reads what comes in pieces that cut tells the lengths of.
func marks(a *Answers, said []byte, cut func() int) (found []ends) {
	at := 0
	for len(said) > 0 {
		n := min(cut(), len(said))
		for b := said[:n]; len(b) > 0; {
			used, mark := a.NextMark(b)
			at += used
			b = b[used:]
			if mark != NoMark {
				found = append(found, ends{at, mark, a.Status()})
			}
			if mark == HTTPEnds {
				a.NotePassed()
				return found
			}
		}
		a.NotePassed()
		said = said[n:]
	}
	return found
}

func TestAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	const upgraded = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
	const raw = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"
	for name, c := range map[string]struct {
		asked string
		said  []string // the answers; what begins with a blank is none
		last  Mark
		odd   bool
	}{
		"length":                  {"GET POST", []string{ok, ok}, AnswerEnds, false},
		"of HEAD, no body":        {"HEAD GET", []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", ok}, AnswerEnds, false},
		"204 and 304 have none":   {"GET GET GET", []string{"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", ok}, AnswerEnds, false},
		"1xx is no answer yet":    {"POST HEAD", []string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n" + ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}, AnswerEnds, false},
		"chunks":                  {"GET GET", []string{"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nContent-Length: 1\r\n\r\n3;x=\"\r\nabc\r\n1\nd\r\n0\r\nT: r\r\n\r\n", ok}, AnswerEnds, false},
		"folded, and LF":          {"GET GET", []string{"HTTP/1.1 200\nContent-Length:\n\t2\n\nab", ok}, AnswerEnds, false},
		"upgraded":                {"HEAD POST", []string{"HTTP/1.1 200 OK\r\n\r\n", upgraded, " " + ok}, HTTPEnds, false},
		"upgraded, unsaid":        {"POST", []string{raw, " HTTP/1.1 200 OK\r\n\r\n"}, HTTPEnds, false},
		"an upgrade not granted":  {"POST GET", []string{"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", ok}, AnswerEnds, false},
		"until the end":           {"GET", []string{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", " abc"}, HTTPEnds, false},
		"other codings":           {"GET", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", " abc"}, HTTPEnds, false},
		"a tunnel":                {"CONNECT", []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", " ok"}, HTTPEnds, false},
		"no tunnel":               {"CONNECT GET", []string{"HTTP/1.1 405 No\r\nContent-Length: 2\r\n\r\nok", ok}, AnswerEnds, false},
		"unasked":                 {"", []string{"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"}, AnswerEnds, false},
		"empty lines between":     {"GET GET", []string{ok, "\r\n" + ok}, AnswerEnds, false},
		"a long head":             {"GET GET", []string{"HTTP/1.1 200 " + strings.Repeat("O", 9000) + "\r\nX: " + strings.Repeat("y: z", 50000) + "\r\nContent-Length: 0\r\n\r\n", ok}, AnswerEnds, false},
		"not HTTP":                {"GET", []string{"H", " ello"}, HTTPEnds, true},
		"HTTP/2":                  {"GET", []string{"HTTP/2", " .0 200 OK\r\n\r\n"}, HTTPEnds, true},
		"no status":               {"GET", []string{"HTTP/1.1 2x0 OK\r\n", " \r\n"}, HTTPEnds, true},
		"two lengths":             {"GET", []string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", " ab"}, HTTPEnds, true},
		"not a chunk":             {"GET", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\n", " ab"}, HTTPEnds, true},
		"folded codings":          {"GET GET", []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip,\r\n chunked\r\n\r\n0\r\n\r\n", ok}, AnswerEnds, false},
		"same length twice":       {"GET GET", []string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", ok}, AnswerEnds, false},
		"a length of 30 digits":   {"GET GET", []string{"HTTP/1.1 200 OK\r\nContent-Length: " + strings.Repeat("0", 29) + "1\r\n\r\na", ok}, AnswerEnds, false},
		"a length of 10000 zeros": {"GET", []string{"HTTP/1.1 200 OK\r\nContent-Length: " + strings.Repeat("0", 10000) + "\r\n\r\n"}, HTTPEnds, true},
	} {
		var want []int
		said := ""
		for _, s := range c.said {
			rest, behind := strings.CutPrefix(s, " ")
			if said += rest; !behind {
				want = append(want, len(said))
			}
		}
		for _, size := range []int{1, 2, 3, 7, 64, 1 << 20} {
			a := new(Answers)
			for m := range strings.FieldsSeq(c.asked) {
				a.NoteRequest(m)
			}
			var got []int
			last := NoMark
			for _, e := range marks(a, []byte(said), func() int { return size }) {
				got, last = append(got, e.at), e.mark
			}
			if c.odd && len(got) == 1 && got[0] >= want[0] { // in larger pieces it is seen when it has come
				got = want
			}
			if !slices.Equal(got, want) || last != c.last || a.IsOdd() != c.odd {
				t.Errorf("%s, in pieces of %d: ends at %v with %d, odd %v; want %v, %d, %v", name, size, got, last, a.IsOdd(), want, c.last, c.odd)
			}
		}
	}
}

// What net/http's client reads of random answers, in whatever pieces they come, ends where we see it end.
func TestAnswersAsNetHTTPReadsThem(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var said bytes.Buffer
		var methods []string
		for range 1 + random.IntN(5) {
			methods = append(methods, []string{"GET", "HEAD", "POST"}[random.IntN(3)])
			randomAnswer(&said, random, methods[len(methods)-1] == "HEAD")
		}
		a := new(Answers)
		for _, m := range methods {
			a.NoteRequest(m)
		}
		got := marks(a, said.Bytes(), func() int { return 1 + random.IntN(40) })
		source := bytes.NewReader(said.Bytes())
		in := bufio.NewReader(source)
		for i, m := range methods {
			r, err := http.ReadResponse(in, &http.Request{Method: m})
			for err == nil && r.StatusCode < 200 && r.StatusCode != 101 {
				r, err = http.ReadResponse(in, &http.Request{Method: m})
			}
			if err != nil {
				t.Fatalf("%q: %v", said.Bytes(), err)
			}
			if ended := i < len(got) && got[i].mark == HTTPEnds; ended {
				if r.StatusCode != 101 && !(r.Close && r.ContentLength < 0) {
					t.Fatalf("%q: HTTP is over at %d", said.Bytes(), got[i].at)
				}
				break
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Fatal(err)
			}
			at := said.Len() - source.Len() - in.Buffered()
			if i >= len(got) || got[i] != (ends{at, AnswerEnds, r.StatusCode}) {
				t.Fatalf("%q: answer %d ends at %d, not %v", said.Bytes(), i, at, got)
			}
		}
	}
}

func randomAnswer(w *bytes.Buffer, random *rand.Rand, toHead bool) {
	pick := func(s ...string) string { return s[random.IntN(len(s))] }
	end := pick("\r\n", "\n")
	if random.IntN(4) == 0 {
		fmt.Fprint(w, "HTTP/1.1 ", pick("100 Continue", "103 Early"), end, pick("", "Link: x"+end), end)
	}
	status := pick("200 OK", "200 OK", "404 Not Found", "204 No Content", "304 Not Modified", "500", "101 UPGRADED")
	form := random.IntN(4)
	version := "HTTP/1.1 "
	if form != 1 { // in HTTP/1.0 chunks are none
		version = pick(version, version, "HTTP/1.0 ")
	}
	fmt.Fprint(w, version, status, end)
	fmt.Fprint(w, pick("", "X-Long: "+strings.Repeat("a: b ", random.IntN(50))+end, "A: b"+end+" c"+end))
	body := strings.Repeat(pick("x", "HTTP/1.1 200 OK\r\n\r\n", "\n"), random.IntN(9))
	bodiless := toHead || status[0] == '1' || strings.HasPrefix(status, "204") || strings.HasPrefix(status, "304")
	chunked := "Transfer-Encoding: " + pick("chunked", "Chunked", "\t chunked") + end
	switch form {
	case 0:
		if fmt.Fprint(w, end); !bodiless {
			fmt.Fprint(w, body)
		}
	case 1:
		fmt.Fprint(w, pick("", "Content-Length: 7"+end), chunked, end)
		if bodiless {
			return
		}
		if body != "" {
			fmt.Fprintf(w, "%x%s\r\n%s\r\n", len(body), pick("", ";a=b", " "), body)
		}
		fmt.Fprint(w, "0\r\n", pick("", "T: r\r\n"), "\r\n")
	default:
		fmt.Fprint(w, pick("Content-Length: ", "content-length:", "Content-Length:"+end+" "), len(body), end, end)
		if !bodiless {
			fmt.Fprint(w, body)
		}
	}
}

// Who waits is let go on when all is answered and handed on, and no sooner.
func TestAwaitAnswers(t *testing.T) {
	a := new(Answers)
	if http, err := a.AwaitAnswers(t.Context()); !http || err != nil {
		t.Fatalf("%v, %v before anything was asked", http, err)
	}
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	a.NoteRequest("GET")
	a.NoteRequest("POST")
	done := make(chan bool)
	go func() {
		http, err := a.AwaitAnswers(t.Context())
		done <- http && err == nil
	}()
	a.NextMark([]byte(answer))
	a.NotePassed()
	a.NextMark([]byte(answer))
	if _, changed, _ := a.settledState(); changed == nil {
		t.Fatal("what is not handed on counts")
	}
	a.NotePassed()
	if !<-done {
		t.Error("HTTP does not go on")
	}
	a.NoteRequest("POST")
	go func() {
		http, err := a.AwaitAnswers(t.Context())
		done <- !http && err == nil
	}()
	a.NextMark([]byte("HTTP/1.1 101 UPGRADED\r\n\r\n"))
	a.NotePassed()
	if !<-done || !a.HasEnded() {
		t.Error("HTTP goes on")
	}
	lost := new(Answers)
	lost.NoteRequest("POST")
	go func() {
		_, err := lost.AwaitAnswers(t.Context())
		done <- err == ErrNoAnswer
	}()
	lost.EndAnswers()
	if !<-done {
		t.Error("the engine's end does not end the wait")
	}
}
