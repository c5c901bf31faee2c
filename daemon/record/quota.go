package record

import (
	"slices"
	"strings"
	"time"
)

// quota is what the closed segments of a directory may take.
type quota struct {
	bytes int64
	age   time.Duration // 0: no limit
}

// enforce removes what is over the quota, with room for as many bytes more, and
// says how many segments that were. Without labels goes before with, old before
// new. now is the wall time, zero while it cannot be trusted.
func (q quota) enforce(dir Dir, room int64, now time.Time) (removed int, err error) {
	entries, err := dir.List()
	if err != nil {
		return 0, err
	}
	var total int64
	var closed, labelled []Entry
	for _, e := range entries {
		labels, ok := isClosed(e.Name)
		switch {
		case labels:
			labelled = append(labelled, e)
		case ok || strings.HasSuffix(e.Name, badSuffix):
			closed = append(closed, e)
		default:
			if _, open := IsOpen(e.Name); !open {
				continue // not ours
			}
		}
		total += e.Size
	}
	for _, e := range slices.Concat(closed, labelled) {
		old := q.age > 0 && !now.IsZero() && now.Sub(e.Mtime) > q.age
		if !old && total+room <= q.bytes {
			continue
		}
		if err := dir.Remove(e.Name); err != nil {
			return removed, err
		}
		total -= e.Size
		removed++
	}
	if removed > 0 {
		err = dir.Sync()
	}
	return removed, err
}
