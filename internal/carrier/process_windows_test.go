package carrier

import (
	"os"
	"testing"

	"golang.org/x/sys/windows"
)

// What Wine does not enforce is at least asked for: nobody else is to take the one place of a client.
func TestPipesAreOpenToTheirUserAlone(t *testing.T) {
	sid, err := OwnSID()
	if err != nil {
		t.Fatal(err)
	}
	for _, toChild := range []bool{true, false} {
		our, their, err := newPipe(toChild)
		if err != nil {
			t.Fatal(err)
		}
		defer closeAllFiles([]*os.File{our, their})
		sd, err := windows.GetSecurityInfo(windows.Handle(their.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatal(err)
		}
		// FA is what GA has become, the list of a pipe.
		if want := "O:" + sid + "D:P(A;;FA;;;" + sid + ")(A;;FA;;;SY)"; sd.String() != want && sd.String() != PrivateAccess(sid) {
			t.Errorf("access %s, want %s", sd, want)
		}
	}
}
