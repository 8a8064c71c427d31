package install

// rulesKey is where AppLocker's rules for programs are, under HKEY_LOCAL_MACHINE.
const rulesKey = `SOFTWARE\Policies\Microsoft\Windows\SrpV2\Exe`

// ProgramRules says which rules of AppLocker for programs are set on this machine, "" if none are.
func ProgramRules() string { return rulesWords(programRules(rulesKey)) }

// rulesWords say it of the rules' number and their EnforcementMode, which is 0 where they are only
// watched.
func rulesWords(count int, mode uint64) string {
	switch {
	case count == 0:
		return ""
	case mode == 0:
		return "AppLocker watches programs, and hinders none"
	}
	return "AppLocker has rules for programs"
}
