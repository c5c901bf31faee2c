package mqtt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"

	"github.com/ragedge/ragedge/daemon/secret"
)

// Board names the machine to others.
type Board struct {
	// ID is 8 hexadecimal digits that stay the same as long as the system is not
	// installed anew. It does not give away the machine id it comes from.
	ID string
	// Name is the host name, and Model what the maker calls the board, empty when
	// the firmware does not say.
	Name, Model string
}

// ThisBoard describes the machine that it runs on.
func ThisBoard() Board {
	name, _ := os.Hostname()
	if name == "" {
		name = "ragedge"
	}
	machine := firstLine("/etc/machine-id")
	if machine == "" {
		machine = name
	}
	return Board{ID: ShortID(machine), Name: name, Model: firstLine("/proc/device-tree/model")}
}

// ShortID derives 8 hexadecimal digits from a key, such as a machine id, the way
// that machine-id(5) asks for: keyed by it, hashed over the name of the program.
func ShortID(key string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte("ragedge"))
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// firstLine returns the first line of a small file, empty when it cannot be read.
func firstLine(path string) string {
	text, _, err := secret.ReadSmall(path, 4<<10)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.Trim(line, " \t\r\x00")
}
