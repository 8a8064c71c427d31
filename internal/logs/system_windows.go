package logs

import "golang.org/x/sys/windows/svc/eventlog"

type systemLog = *eventlog.Log

func openSystem(source string) (systemLog, error) { return eventlog.Open(source) }
