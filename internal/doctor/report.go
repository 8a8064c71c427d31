package doctor

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/codes"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/console"
	"github.com/docker-wsl-bridge/docker-wsl-bridge/internal/printable"
)

// finding is what a script is told of a check.
type Told struct {
	Code    codes.Code   `json:"code"`
	Verdict Verdict      `json:"verdict"`
	Seen    string       `json:"seen"`
	Why     string       `json:"why"`
	Cure    []codes.Hint `json:"cure,omitempty"`
}

// Options says what is done beside looking.
type Options struct {
	console.Printer
	Fix, Dry bool
}

// RunVisit looks, does what is to be done, and looks again. It gives what it has found last.
func (v Options) RunVisit(ctx context.Context, p Target, again func() (Target, error)) ([]Told, error) {
	found, seen := ExamineAll(ctx, p)
	all := ExplainFindings(found, seen)
	person := v.Out
	if v.JSON {
		person = nil
	}
	if err := PrintFindings(person, all); err != nil {
		return all, err
	}
	var list []fix
	if v.Fix {
		list = fixesFor(found, seen, p)
		makeFixes(ctx, list, person, v.Dry)
	}
	if len(list) > 0 && !v.Dry {
		p, err := again()
		if err != nil {
			return all, err
		}
		all = ExplainFindings(ExamineAll(ctx, p))
		if err := printAgain(person, all, list); err != nil {
			return all, err
		}
	}
	report := map[string]any{"findings": all}
	if v.Fix {
		report["fixes"] = append([]fix{}, list...)
	}
	return all, v.Result(report, func(io.Writer) error { return nil }) // a person has read it already
}

func ExamineAll(ctx context.Context, p Target) (found []Finding, seen Seen) {
	seen = Examine(ctx, p, func(f Finding) { found = append(found, f) })
	return found, seen
}

// explained is for people and scripts, who want to know why and what to do.
func ExplainFindings(found []Finding, seen Seen) []Told {
	all := make([]Told, len(found))
	for i, f := range found {
		all[i] = Told{Code: f.Code, Verdict: f.Verdict, Seen: f.Seen, Why: f.Code.WhyItMatters()}
		if f.Verdict == Failed {
			all[i].Cure = hintsFor(f, seen)
		}
	}
	return all
}

// PrintFindings is for a person: what is well takes a line, what is not says why and what to do.
func PrintFindings(w io.Writer, all []Told) error {
	if w == nil {
		return nil
	}
	for _, f := range all {
		text := fmt.Sprintf("%-8s %s  %s\n", f.Verdict, f.Code, printable.Escape(f.Seen))
		if f.Verdict == Failed {
			text += fmt.Sprintf("         why:    %s\n", f.Why)
		}
		for _, cure := range f.Cure {
			text += fmt.Sprintf("         hint:   %s\n", printable.Escape(cure.String()))
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// printAgain tells how what was fixed looks now.
func printAgain(w io.Writer, all []Told, list []fix) error {
	return PrintFindings(w, slices.DeleteFunc(slices.Clone(all), func(f Told) bool {
		return !slices.ContainsFunc(list, func(x fix) bool { return x.Code == f.Code })
	}))
}
