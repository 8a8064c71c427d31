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

// served are the requests that net/http's server makes out of what a client says: it reads one behind the other,
// and ends the connection where it understands none.
func served(said []byte) (requests []string) {
	in := bufio.NewReader(bytes.NewReader(said))
	last := ""
	for {
		if last == http.MethodPost { // net/http/server.go: tolerance for old buggy clients
			ahead, _ := in.Peek(4)
			_, _ = in.Discard(len(ahead) - len(bytes.TrimLeft(ahead, "\r\n")))
		}
		r, err := http.ReadRequest(in)
		if err != nil || r.ProtoMajor != 1 {
			return requests
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return requests
		}
		last = r.Method
		what := r.Method + " " + r.RequestURI + " "
		if creationOf(r.Method, r.RequestURI) != "" {
			what = "create "
		}
		requests = append(requests, what+string(body))
	}
}

// edited are requests as they are to be.
func edited(requests []string) []string {
	out := slices.Clone(requests)
	for i, r := range out {
		if body, is := strings.CutPrefix(r, "create "); is && !strings.HasPrefix(body, "same") {
			out[i] += "!"
		}
	}
	return out
}

// What net/http's server understands is understood: of each request that it makes out of odd ones, in
// whatever pieces they come, the creations are changed, and nothing else is.
func TestRequestsAsNetHTTPReadsThem(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	understood := 0
	for range 20000 {
		var said bytes.Buffer
		for range 1 + random.IntN(6) {
			randomRequest(&said, random)
		}
		understood += checkAsNetHTTP(t, said.Bytes(), func() int { return 1 + random.IntN(60) })
	}
	if understood < 40000 { // else they are too odd to prove anything
		t.Errorf("net/http understands %d", understood)
	}
}

func checkAsNetHTTP(t *testing.T, said []byte, cut func() int) (understood int) {
	t.Helper()
	var out bytes.Buffer
	r := &Requests{
		Out: func(p []byte) error { out.Write(p); return nil }, Edit: edit, Held: new(Held),
		Unheld: func(Creation, error) error { return nil }, Continue: func() error { return nil },
	}
	for rest := said; len(rest) > 0; {
		n := min(cut(), len(rest))
		if err := r.Write(rest[:n]); err != nil {
			return 0 // a body that is refused
		}
		rest = rest[n:]
	}
	if err := r.EndRequests(); err != nil {
		t.Fatal(err)
	}
	want := edited(served(said))
	got := served(out.Bytes()) // may go on, if what we change is more regular for it
	good := len(got) >= len(want) && slices.Equal(got[:len(want)], want)
	for _, r := range got {
		good = good && (!strings.HasPrefix(r, "create ") || strings.HasPrefix(r, "create same") || strings.HasSuffix(r, "!"))
	}
	if !good {
		t.Fatalf("%q\ncomes out as %q\nwhich is %q\nwant     %q", said, out.Bytes(), got, want)
	}
	return len(want)
}

func randomRequest(w *bytes.Buffer, random *rand.Rand) {
	pick := func(s ...string) string { return s[random.IntN(len(s))] }
	seldom := func(s ...string) string {
		if random.IntN(12) > 0 {
			return ""
		}
		return pick(s...)
	}
	end := pick("\r\n", "\r\n", "\n")
	fmt.Fprint(w, seldom("\r\n", "\n", "\r\n\r\n"))
	method := pick("POST", "POST", "POST", "GET", "HEAD", "PUT", "M-SEARCH", "post", "x!y")
	target := pick("/containers/create", "/containers/create", "/v1.41/services/create", "/services/web/update?version=1", "/containers/%63reate?name=x",
		"http://docker/v1.41/containers/create", "/_ping", "/containers/x/attach", "/build?remote=\u00e4\u20ac", "*", "/a//b%2Fcreate", "/containers/create?"+strings.Repeat("q", random.IntN(100)))
	version := pick("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.3")
	fmt.Fprint(w, method, " ", target, " ", version, end)
	body := pick("", "a", "same", "abc", strings.Repeat("x", random.IntN(300)), "POST /containers/create HTTP/1.1\r\n\r\n", "\r\n\r\n")
	chunked := random.IntN(3) == 0 && version != "HTTP/1.0"
	fields := []string{
		"Host: d" + end, seldom("X: a"+end+" b"+end, "X:"+end+"\tb"+end, "Empty:"+end), seldom("X: " + strings.Repeat("y", random.IntN(50)*random.IntN(50)) + end),
		seldom("Expect: 100-continue"+end, "expect: 100-Continue"+end), seldom("Connection: Upgrade"+end+"Upgrade: tcp"+end, "Content-Type: a;\tb"+end),
		seldom("Content-Lengthy: 7"+end, "XContent-Length: 7"+end, "Transfer-Encodings: chunked"+end),
		seldom("Content-Length : 1"+end, "Transfer-Encoding: gzip"+end, "no field"+end, "Content-Length: -1"+end, "Content-Length: 1"+end),
	}
	switch {
	case chunked:
		fields = append(fields, pick("Transfer-Encoding: chunked", "transfer-encoding:Chunked", "Transfer-Encoding:"+end+" chunked")+end, seldom(fmt.Sprint("Content-Length: ", random.IntN(9))+end))
	case body != "" || random.IntN(2) == 0:
		length := fmt.Sprint(pick("", "", "0", "00000000000000000000"), len(body))
		fields = append(fields, pick("Content-Length: ", "content-length:", "Content-Length:"+end+"  ", "CONTENT-LENGTH:\t")+length+end, seldom("Content-Length: "+length+" "+end))
		if version == "HTTP/1.0" {
			fields = append(fields, seldom("Transfer-Encoding: chunked"+end))
		}
	}
	random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	fmt.Fprint(w, strings.Join(fields, ""), end)
	if !chunked {
		fmt.Fprint(w, body)
		return
	}
	for rest := body; rest != ""; {
		n := 1 + random.IntN(len(rest))
		fmt.Fprintf(w, "%s%x%s\r\n%s%s", pick("", "0", "000"), n, pick("", ";a=b", " "), rest[:n], seldomElse(random, "\r\n", "\n", "x\r\n"))
		rest = rest[n:]
	}
	fmt.Fprint(w, pick("0", "000", "0;x"), "\r\n", pick("", "", "T: r\r\n", "T: r\r\n s\r\nU:\n"), "\r\n")
}

// seldomElse is usual, but for now and then.
func seldomElse(random *rand.Rand, usual string, others ...string) string {
	if random.IntN(30) > 0 {
		return usual
	}
	return others[random.IntN(len(others))]
}

// Whatever a client says: of what net/http's server makes of it the creations are changed, and nothing else is.
func FuzzRequestsAsNetHTTP(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		var said bytes.Buffer
		randomRequest(&said, random)
		randomRequest(&said, random)
		f.Add(said.Bytes(), 7)
	}
	f.Fuzz(func(t *testing.T, said []byte, size int) {
		if size > 0 && !bytes.Contains(said, []byte("no")) { // which edit refuses
			checkAsNetHTTP(t, said, func() int { return size })
		}
	})
}
