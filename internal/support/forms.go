package support

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// forms are where names stand. Each finds what is before a name, or names by their place in it.
var (
	// homes end where a user's directory begins: C:\Users\, D:\Users.old\, /home/, /Users/, \profiles$\.
	homes = regexp.MustCompile(`(?i)[\\/](?:users[^\\/"'<>|:]{0,20}|homes?\d*\$?|profiles?\$?|documents and settings)[\\/]+`)
	// shares are before the server of a UNC path: \\server\share\, //server/share/, \\?\UNC\server\share\.
	shares = regexp.MustCompile(`(?i)(?:\\{2,}|(?:file:|smb:|cifs:|npipe:)?/{2,})(?:\?[\\/]+UNC[\\/]+)?`)
	// accounts are DOMAIN\user.
	accounts = regexp.MustCompile(`([\p{L}\p{N}][\p{L}\p{N}._-]*)(\\{1,4})[\p{L}\p{N}_]`)
	// mails are user@domain.
	mails = regexp.MustCompile(`([\p{L}\p{N}._%+'-]+)@([\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*)`)
	// keys are before a value that is a name.
	keys    = regexp.MustCompile(`(?i)\b(?:user|username|userdomain|userdnsdomain|logname|account|computername|hostname|machine|domain)["']?\s*[:=]\s*["']?`)
	owners  = regexp.MustCompile(`(?:owner"?\s*[:=]\s*"?)([\p{L}\p{N}._-]+):([\p{L}\p{N}._-]+)`)
	address = regexp.MustCompile(`(?:tcp|ssh|https?)://(?:[^/\s"@]*@)?(\[[^\]]+\]|[^/\s"@:]+)`)
	// ids are what id prints: uid=1000(jane).
	ids = regexp.MustCompile(`\b\d+\(([^()\s]+)\)`)
	// tildes are homes in short: ~jane.
	tildes = regexp.MustCompile(`(?:^|[\s"'=:])~([\p{L}_][^\\/\s"':,;]*)`)
	// sentences are our own about users.
	sentences = regexp.MustCompile(`\b(?:docker|programs|contexts|context \S+) of ([\p{L}_][^\s,;:\\/"']*)`)
	chosen    = regexp.MustCompile(`([\p{L}_][^\s,;:\\/"']*) has chosen`)
)

// place is where a name stands in a line as it was read.
type place struct {
	kind     nameKind
	from, to int
	sure     bool // it ends there; else it may end before, at a blank
}

// has tells whether a text has one of some words. It is asked before a form is looked for, which costs more: most
// lines of a log name nobody.
func has(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// places finds what stands where names do.
func places(s string) (list []place) {
	low := strings.ToLower(s)
	if has(low, "user", "home", "profile", "documents and settings") {
		for _, m := range homes.FindAllStringIndex(s, -1) {
			list = append(list, component(s, m[1], userName))
		}
	}
	if has(s, `\\`, "//") {
		list = append(list, inShares(s)...)
	}
	if has(s, `\`) {
		list = append(list, outside(inAccounts(s), list)...)
	}
	pairs := func(form *regexp.Regexp, kinds ...nameKind) {
		for _, m := range form.FindAllStringSubmatchIndex(s, -1) {
			for n, kind := range kinds {
				list = append(list, place{kind, m[2*n+2], m[2*n+3], true})
			}
		}
	}
	if strings.Contains(s, "@") {
		pairs(mails, userName, hostName)
	}
	if strings.Contains(s, "://") {
		pairs(address, hostName)
	}
	if has(s, "(") {
		pairs(ids, userName)
	}
	if has(s, "~") {
		pairs(tildes, userName)
	}
	if has(s, " of ") {
		pairs(sentences, userName)
	}
	if has(s, " has chosen") {
		pairs(chosen, userName)
	}
	if has(low, "owner") {
		pairs(owners, userName, userName)
	}
	if has(low, "user", "name", "account", "machine", "domain") {
		for _, m := range keys.FindAllStringIndex(s, -1) {
			list = append(list, value(s, m[1]))
		}
	}
	return list
}

// outside are those that are no part of others: the end of a path with a blank in it is no account.
func outside(list, others []place) []place {
	if len(list) == 0 || len(others) == 0 {
		return list
	}
	slices.SortFunc(others, func(a, b place) int { return a.from - b.from })
	next, end := 0, -1
	return slices.DeleteFunc(list, func(p place) bool { // which are in their order, too
		for ; next < len(others) && others[next].from <= p.from; next++ {
			end = max(end, others[next].to+1)
		}
		return p.from <= end
	})
}

// value is that of a key: what is quoted, or a word.
func value(s string, at int) place {
	stop := " \t,;\"'"
	if q := s[at-1]; q == '"' || q == '\'' {
		stop = string(q)
	}
	end := strings.IndexAny(s[at:], stop)
	if end < 0 {
		end = len(s) - at
	}
	return place{userName, at, at + end, true}
}

func inShares(s string) (list []place) {
	for _, m := range shares.FindAllStringIndex(s, -1) {
		if !beginsShare(s, m[0], m[1]) {
			continue
		}
		server := component(s, m[1], hostName)
		if server.to == server.from || !server.sure {
			server.to = m[1] + len(word(s[m[1]:server.to]))
		}
		if common[strings.ToLower(s[server.from:server.to])] { // of WSL itself
			continue
		}
		list = append(list, server)
		for at, n := server.to, 0; n < 2 && server.sure; n++ {
			next := at + len(s[at:]) - len(strings.TrimLeft(s[at:], `\/`))
			if next == at {
				break
			}
			part := component(s, next, wordName)
			list = append(list, part)
			at = part.to
		}
	}
	return list
}

// beginsShare tells \\server from the \\ of a JSON path and the // of an address.
func beginsShare(s string, from, to int) bool {
	first, _ := utf8.DecodeRuneInString(s[to:])
	before, size := utf8.DecodeLastRuneInString(s[:from])
	switch {
	case !ofWord(first) || first == utf8.RuneError:
		return false
	case before == ':' && s[from] == '\\':
		return !afterDrive(s, from)
	}
	return size == 0 || !ofWord(before) && !strings.ContainsRune(`\/:.)]}%~-$`, before)
}

// afterDrive tells that before a place there is a drive's letter with its colon.
func afterDrive(s string, at int) bool {
	drive, size := utf8.DecodeLastRuneInString(s[:at-1])
	further, _ := utf8.DecodeLastRuneInString(s[:at-1-size])
	return ofWord(drive) && !ofWord(further)
}

func word(s string) string {
	if end := strings.IndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",'(", r) }); end >= 0 {
		return s[:end]
	}
	return s
}

// component is one of a path, which may have blanks, commas and apostrophes in it. It is sure to end where another one
// follows; where none does it is taken to go on for as long as it can.
func component(s string, at int, kind nameKind) place {
	end, open := at, 0
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		next, _ := utf8.DecodeRuneInString(s[end+size:])
		if r == '(' {
			open++
		}
		if r == ')' {
			open--
		}
		if open < 0 || unicode.IsControl(r) || strings.ContainsRune("\\/\"<>|:;*?=`", r) || r == '\'' && !ofWord(next) {
			break
		}
		end += size
	}
	sure := end < len(s) && (s[end] == '\\' || s[end] == '/') && end > at && s[end-1] != ' '
	if end < len(s) && s[end] == '=' { // of the next key
		end = at + max(strings.LastIndexAny(s[at:end], " \t"), 0)
	}
	return place{kind, at, at + len(strings.TrimRight(s[at:end], " .,'!")), sure}
}

// inAccounts finds DOMAIN\user that is no part of a path. Between letters \n is an end of line, unless what is before it looks
// like a domain.
func inAccounts(s string) (list []place) {
	for _, m := range accounts.FindAllStringSubmatchIndex(s, -1) {
		before, size := utf8.DecodeLastRuneInString(s[:m[0]])
		domain := s[m[2]:m[3]]
		if size > 0 && (ofWord(before) || strings.ContainsRune(`\/.%$-_~`, before)) || before == ':' && afterDrive(s, m[0]) || noDomain[strings.ToLower(domain)] {
			continue
		}
		user := component(s, m[5], userName)
		escape := m[5]-m[4] == 1 && strings.ContainsRune("nrt", rune(s[m[5]])) && domain != strings.ToUpper(domain)
		if user.sure || escape || user.to == user.from {
			continue
		}
		list = append(list, place{hostName, m[2], m[3], true}, user)
	}
	return list
}

// noDomain are words that stand before a backslash and are no domain.
var noDomain = map[string]bool{
	"authority": true, "builtin": true, "service": true, "files": true, "hkcu": true, "hklm": true, "hkey_local_machine": true,
	"hkey_current_user": true, "software": true, "system32": true,
}
