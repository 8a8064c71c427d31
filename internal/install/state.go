package install

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CurrentState says in a few words how what starts the program is just now, and how its last run ended. It is
// empty where nobody can tell: Explorer keeps no book of the Run key.
func (p Place) CurrentState(ctx context.Context, r Record, service Registered) string {
	switch r.Form {
	case ByService:
		name := service.instanceOf(logonIDs())
		if name == "" {
			return "there is no instance of it here: Windows makes one at the next sign-in"
		}
		state, code, err := queryService(name)
		if err != nil {
			return fmt.Sprintf("how %s is can't be told: %v", name, err)
		}
		return name + " " + instanceWords(state, code)
	case Task:
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		if b, err := outputOfHidden(ctx, "schtasks.exe", []string{"/Query", "/TN", p.TaskName(), "/V", "/FO", "CSV", "/NH"}); err == nil {
			return taskWords(string(b))
		}
	}
	return ""
}

// instanceOf is this session's, by the numbers of its logons, empty if there is none. An administrator's
// window has a number of its own; where there is one instance alone it is the one.
func (r Registered) instanceOf(logons []string) string {
	for _, name := range r.Instances {
		if slices.Contains(logons, strings.ToLower(name[strings.LastIndex(name, "_")+1:])) {
			return name
		}
	}
	if len(r.Instances) == 1 {
		return r.Instances[0]
	}
	return ""
}

// Numbers of winsvc.h and winerror.h.
const (
	stateStopped      = 1    // SERVICE_STOPPED
	stateStarting     = 2    // SERVICE_START_PENDING
	stateStopping     = 3    // SERVICE_STOP_PENDING
	stateRunning      = 4    // SERVICE_RUNNING
	errorNeverStarted = 1077 // ERROR_SERVICE_NEVER_STARTED
)

func instanceWords(state, code uint32) string {
	switch {
	case state == stateStopped && code == errorNeverStarted:
		return "was not started since Windows was"
	case state == stateStopped:
		return fmt.Sprintf("is stopped, and ended with exit code %#x", code)
	case state == stateStarting:
		return "is starting"
	case state == stateStopping:
		return "is stopping"
	case state == stateRunning:
		return "is running"
	}
	return fmt.Sprintf("is in state %d", state)
}

// Numbers of winerror.h that are no results of a program.
const (
	taskRunning = 0x41301 // SCHED_S_TASK_RUNNING
	taskHasNot  = 0x41303 // SCHED_S_TASK_HAS_NOT_RUN
)

// taskWords reads a line of schtasks /Query /V /FO CSV: the fourth field is the state, in Windows' own
// language, the seventh the last result.
func taskWords(text string) string {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	fields, err := r.Read()
	if err != nil || len(fields) < 7 {
		return ""
	}
	result, err := strconv.ParseInt(fields[6], 10, 64)
	if err != nil {
		return ""
	}
	state := ""
	if s := fields[3]; s != "" && utf8.ValidString(s) {
		state = " (" + s + ")"
	}
	switch code := uint32(result); code {
	case taskRunning:
		return "the task is running" + state
	case taskHasNot:
		return "the task has not run yet" + state
	default:
		return fmt.Sprintf("the task's last run ended with %#x%s", code, state)
	}
}
