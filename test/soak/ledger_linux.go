package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// label marks the containers that operations make; its value is the operation's
// name.
const label = "soak"

// ledger knows how many containers the engine may have by each operation, from
// what clients were told.
type ledger struct {
	mu    sync.Mutex
	count int
	want  map[string][2]int // at least and at most
}

// name is one that nobody has had.
func (l *ledger) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	return fmt.Sprint("op-", l.count)
}

func (l *ledger) expect(name string, least, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.want == nil {
		l.want = map[string][2]int{}
	}
	l.want[name] = [2]int{least, most}
}

// audit compares what the engine has, and closes the books.
func (l *ledger) audit(has map[string]int) (wrong []error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, want := range l.want {
		if n := has[name]; n < want[0] || n > want[1] {
			wrong = append(wrong, lost("the engine has %d containers of %s; by what its client was told %d to %d", n, name, want[0], want[1]))
		}
	}
	l.want = nil
	return wrong
}

// made is a container that an operation has made.
type made struct {
	ID     string
	State  string
	Labels map[string]string
}

// made lists them.
func (c *client) made() (list []made, err error) {
	filter := url.QueryEscape(fmt.Sprintf(`{"label":[%q]}`, label))
	status, said, err := c.once(http.MethodGet, "/containers/json?all=1&filters="+filter, nil)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(said, &list); err != nil || status != http.StatusOK {
		return nil, unexpected("list", status, said)
	}
	return list, nil
}
