// Package codes numbers what can be wrong. Each number has a page, docs/doctor/NUMBER.md, and stands
// behind each hint that the program prints.
//
// It knows the numbers, not what is wrong.
//
// Law: a hint can't be made without a number.
package codes

import (
	"encoding/json"
	"strings"
)

// Code is the number of something that can be wrong.
type Code string

// What doctor looks at, in its order, and beside it what it does not look at. The first digit is what it
// is about: WSL and the distro, the engine, the bridge, its socket, docker, the installation, what
// was asked for, and commands that are kept running.
const (
	WSLThere     Code = "DWB101"
	WSLAnswers   Code = "DWB102"
	DistroThere  Code = "DWB103"
	DistroIsWSL2 Code = "DWB104"
	DistroRuns   Code = "DWB105"
	DistroStarts Code = "DWB106"
	WSLWedged    Code = "DWB107"
	AgentFits    Code = "DWB108"
	Clock        Code = "DWB109"

	PipeThere     Code = "DWB201"
	PipeOpen      Code = "DWB202"
	EngineAnswers Code = "DWB203"
	EngineWindows Code = "DWB204"

	BridgeRuns   Code = "DWB301"
	BridgeWorks  Code = "DWB302"
	BridgeBuild  Code = "DWB303"
	PlaceTaken   Code = "DWB304"
	ControlPlace Code = "DWB305"
	TooMany      Code = "DWB306"

	SocketThere  Code = "DWB401"
	SocketAccess Code = "DWB402"
	SocketUsable Code = "DWB403"
	SocketServed Code = "DWB404"
	SocketPlace  Code = "DWB405"

	ClientLed   Code = "DWB501"
	ClientPorts Code = "DWB502"
	ClientPaths Code = "DWB503"
	ContextMade Code = "DWB504"

	Installed   Code = "DWB601"
	NotBlocked  Code = "DWB602"
	WindowsOnly Code = "DWB603"
	ComesUp     Code = "DWB604"
	MayInstall  Code = "DWB605"
	Removed     Code = "DWB606"

	CommandLine   Code = "DWB701"
	Configuration Code = "DWB702"
	WhichBridge   Code = "DWB703"

	CommandStarts Code = "DWB801"
	EarlierForm   Code = "DWB802"
)

// Entry tells of a code.
type Entry struct {
	Code  Code
	Title string
	Why   string // a check matters; empty: doctor does not look at it
}

// AllEntries has all codes, in their order.
func AllEntries() []Entry {
	return []Entry{
		{WSLThere, "wsl.exe is there", "the distro is reached through wsl.exe and nothing else"},
		{WSLAnswers, "WSL answers", "a wsl.exe that is there may only be the one that installs WSL"},
		{DistroThere, "the distro is there", "the socket lies in a distro"},
		{DistroIsWSL2, "the distro is of WSL 2", "WSL 1 has no Linux kernel, and no /run for the agent"},
		{DistroRuns, "the distro runs", "a distro that is stopped has no socket"},
		{DistroStarts, "programs start in it", "the agent is started as any program is"},
		{WSLWedged, "WSL is not wedged", "a bridge that lives on can't be started anew, nor can a shell"},
		{AgentFits, "the agent can be put there and run", "the agent is a program in /run of the distro"},
		{Clock, "the distro's clock is right", "certificates, logins and docker logs --since go wrong with a clock that is behind"},
		{PipeThere, "the engine's pipe is there", "the engine listens at a pipe"},
		{PipeOpen, "the pipe lets you in", "the engine decides who may open its pipe"},
		{EngineAnswers, "a Docker engine answers", "what answers at the pipe must be a Docker engine"},
		{EngineWindows, "it runs Windows containers", "an engine for Linux containers is used only when it is named"},
		{BridgeRuns, "a bridge runs", "the socket is there as long as its bridge runs"},
		{BridgeWorks, "the bridge works", "clients reach the engine only while it does"},
		{BridgeBuild, "the bridge is of this build", "a new version counts from the next start on"},
		{PlaceTaken, "the place is free", ""},
		{ControlPlace, "the control endpoint can be made", ""},
		{TooMany, "there is room for a connection", ""},
		{SocketThere, "the socket is there", "docker connects to it"},
		{SocketAccess, "the socket is as it was made", "somebody has changed who may use it"},
		{SocketUsable, "the distro's user may use it", "docker is run by that user"},
		{SocketServed, "somebody listens at the socket", "a socket that nobody serves refuses docker"},
		{SocketPlace, "the socket can be made", ""},
		{ClientLed, "docker is not led elsewhere", "docker goes there unless it is told otherwise with -H"},
		{ClientPorts, "where published ports are", "a container's port is where its engine is"},
		{ClientPaths, "which directories can be mounted", "the engine reads directories of Windows, not of Linux"},
		{ContextMade, "the docker context can be made", ""},
		{Installed, "what starts it at logon is right", "else the socket is gone after the next logon"},
		{NotBlocked, "nothing of Windows blocks it", "AppLocker and Defender decide which programs start"},
		{WindowsOnly, "this works on this system", ""},
		{ComesUp, "what was started comes up", ""},
		{MayInstall, "this user may install it so", ""},
		{Removed, "all that was made can be removed", ""},
		{CommandLine, "the command line is right", ""},
		{Configuration, "the configuration is right", "a bridge that is started with a wrong one serves nothing"},
		{WhichBridge, "it is clear which bridge is meant", ""},
		{CommandStarts, "the command can be started", ""},
		{EarlierForm, "the earlier command line", ""},
	}
}

// CheckedCodes are the codes that doctor looks at, in its order.
func CheckedCodes() (list []Code) {
	for _, e := range AllEntries() {
		if e.Why != "" {
			list = append(list, e.Code)
		}
	}
	return list
}

// WhyItMatters says why a check matters.
func (c Code) WhyItMatters() string {
	for _, e := range AllEntries() {
		if e.Code == c {
			return e.Why
		}
	}
	return ""
}

// Hint says what cures something.
type Hint struct {
	Code Code   `json:"code"`
	Text string `json:"text"` // what to do; with a command what that is good for, such as "to start one"
	// Command can be pasted into a window of Windows, or of the distro that the text names. Words in capitals, such as
	// NAME, are to be replaced. It is empty if no command does it.
	Command string `json:"command,omitempty"`
}

// Hint makes a hint with a command.
func (c Code) Hint(purpose, command string) Hint { return Hint{c, purpose, command} }

// Note makes a hint that no command is for.
func (c Code) Note(text string) Hint { return Hint{Code: c, Text: text} }

// Message is a text with its code, for a client that is told one sentence.
func (c Code) Message(text string) string { return text + " (" + string(c) + ")" }

// String is the hint as it is printed, with nothing behind the command.
func (h Hint) String() string {
	text := string(h.Code) + ": " + h.Text
	if h.Command != "" {
		text += ", run: " + h.Command
	}
	return text
}

// InDistro replaces DISTRO by a distro's name.
func (h Hint) InDistro(distro string) Hint {
	h.Text = strings.ReplaceAll(h.Text, "DISTRO", distro)
	h.Command = strings.ReplaceAll(h.Command, "DISTRO", WindowsWord(distro))
	return h
}

// UnmarshalJSON also reads the one string that earlier versions wrote.
func (h *Hint) UnmarshalJSON(b []byte) error {
	type plain Hint
	if err := json.Unmarshal(b, (*plain)(h)); err == nil {
		return nil
	}
	*h = Hint{Code: BridgeWorks}
	return json.Unmarshal(b, &h.Text)
}
