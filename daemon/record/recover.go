package record

import (
	"errors"
	"io/fs"
)

// Recovered counts what was done with segments that a crash left open.
type Recovered struct {
	Closed  int // have their ending and final name now
	Emptied int // had no whole chunk and were removed
	Aside   int // were no readable segments and have a new name
	Damaged int // chunks with a wrong CRC, passed over
}

// recoverDir closes every segment that is still open. One that fails does not
// keep the others from being closed; another try may do it.
func recoverDir(dir Dir, note func(name string, err error)) (Recovered, error) {
	var r Recovered
	entries, err := dir.List()
	if err != nil {
		return r, err
	}
	var all []error
	for _, e := range entries {
		name, open := IsOpen(e.Name)
		if !open {
			continue
		}
		if err := r.segment(dir, name, note); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	return r, errors.Join(all...)
}

// segment closes one segment: it cuts what follows the last whole chunk, writes
// the message indexes that are missing, and the ending.
func (r *Recovered) segment(dir Dir, name string, note func(string, error)) error {
	file, err := dir.Open(name + openSuffix)
	if err != nil {
		return err
	}
	size, err := file.Size()
	if err != nil {
		file.Close()
		return err
	}
	s, err := scanSegment(file, size, nil)
	switch {
	case errors.Is(err, errNothing):
		file.Close()
		note(name+openSuffix, err)
		if err := dir.Remove(name + openSuffix); err != nil {
			return err
		}
		r.Emptied++
		return dir.Sync()
	case err != nil:
		file.Close()
		note(name+openSuffix, err)
		if err := dir.Rename(name+openSuffix, name+openSuffix+badSuffix); err != nil {
			return err
		}
		r.Aside++
		return dir.Sync()
	}
	if err := s.repair(file); err != nil {
		file.Close()
		return err
	}
	if err := finish(dir, file, name, s.labels); err != nil {
		return err
	}
	r.Closed++
	r.Damaged += s.damaged
	return nil
}

// repair makes a file end as a closed segment does.
func (s *scan) repair(file File) error {
	if err := file.Truncate(s.good); err != nil {
		return err
	}
	for _, r := range append(s.repairs, repair{s.good, s.appendEnding(nil, s.good)}) {
		n, err := file.WriteAt(r.want, r.at)
		if err == nil && n < len(r.want) {
			err = errors.New("short write")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
