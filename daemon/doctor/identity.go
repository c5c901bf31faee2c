package doctor

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// serviceUser and serviceGroup are those of our unit.
const (
	serviceUser  = "ragedge"
	serviceGroup = "ragedge"
)

// identity is whom the daemon runs as.
type identity struct {
	name string
	uid  int
	gids []int
}

// whoServes reads it from the unit and the lists of users; without a unit it is who
// asks.
func (v *visit) whoServes() identity {
	if v.unit == nil {
		return identity{v.nameOf(v.UID), v.UID, v.Groups}
	}
	user := v.unit.get("User")
	if user == "" {
		user = "root"
	}
	who := identity{name: user, uid: -1}
	for fields := range v.lines("/etc/passwd") {
		if len(fields) > 3 && fields[0] == user {
			who.uid, _ = strconv.Atoi(fields[2])
			gid, _ := strconv.Atoi(fields[3])
			who.gids = append(who.gids, gid)
		}
	}
	groups := append(strings.Fields(v.unit.get("SupplementaryGroups")), v.unit.get("Group"))
	for fields := range v.lines("/etc/group") {
		if len(fields) > 3 && (slices.Contains(groups, fields[0]) || slices.Contains(strings.Split(fields[3], ","), user)) {
			gid, _ := strconv.Atoi(fields[2])
			who.gids = append(who.gids, gid)
		}
	}
	return who
}

// lines yields the fields of each line of a file such as /etc/passwd.
func (v *visit) lines(file string) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(v.text(file)) {
			if !yield(strings.Split(strings.TrimSpace(line), ":")) {
				return
			}
		}
	}
}

// nameOf and groupName name a user and a group, by number where nobody knows.
func (v *visit) nameOf(uid int) string      { return v.named("/etc/passwd", uid) }
func (v *visit) groupName(gid int) string   { return v.named("/etc/group", gid) }
func (v *visit) knowsGroup(g string) bool   { return v.has("/etc/group", g) }
func (v *visit) knowsUser(name string) bool { return v.has("/etc/passwd", name) }

func (v *visit) named(file string, id int) string {
	for fields := range v.lines(file) {
		if len(fields) > 2 && fields[2] == strconv.Itoa(id) {
			return fields[0]
		}
	}
	return strconv.Itoa(id)
}

func (v *visit) has(file, name string) bool {
	for fields := range v.lines(file) {
		if fields[0] == name {
			return true
		}
	}
	return false
}

// may says whether the mode of a file lets someone do what the bits of want say,
// such as 6 for reading and writing.
func (v *visit) may(who *identity, info fs.FileInfo, want fs.FileMode) bool {
	uid, gid, ok := v.Owner(info)
	mode := info.Mode().Perm()
	switch {
	case !ok || who.uid == 0:
		return true
	case uid == who.uid:
		mode >>= 6
	case slices.Contains(who.gids, gid):
		mode >>= 3
	}
	return mode&want == want
}
