package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ragedge/ragedge/encoder"
	"github.com/ragedge/ragedge/fusion"
)

// TryModel reads the model file at path as if c named it, and runs it on zeros: it
// is what a daemon with c would do before it uses the model.
func (c Config) TryModel(path string) (*fusion.Model, encoder.Features, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, c.Features, err
	}
	c.Agent.Model = path
	model, features, err := c.LoadModel()
	if err != nil {
		return nil, features, err
	}
	s := &setup{config: c}
	for i := range c.Sensors {
		s.sensors = append(s.sensors, s.newHealth(i))
	}
	s.inlets = map[string]inlet{}
	if err := s.buildModalities(model, features); err != nil {
		return nil, features, err
	}
	return model, features, s.tryModel()
}

const (
	// modelMode lets the daemon's group read a model, and nobody else.
	modelMode = 0o640
	// previousSuffix names the model that was in the place of the newest one.
	previousSuffix = ".previous"
)

// Install puts a copy of the model file at from in the place that c names for its
// model, once it has passed TryModel. The file there is at every moment either the
// old or the new one, also after a power cut; the old one is kept as
// NAME.previous. undo puts it back. It is nil when there was none: without the file that
// it names, c is no configuration to start with.
func (c Config) Install(from string) (model *fusion.Model, features encoder.Features, undo func() error, err error) {
	to := c.ModelPath()
	if to == "" {
		return nil, features, nil, fmt.Errorf("%w: agent.model: empty: set it to the name that the model is to have", ErrConfig)
	}
	if _, err := os.Stat(from); err != nil {
		return nil, features, nil, err
	}
	if model, features, err = c.TryModel(from); err != nil {
		return nil, features, nil, err
	}
	temporary, err := copyFile(from, filepath.Dir(to))
	if err != nil {
		return nil, features, nil, err
	}
	defer os.Remove(temporary)
	copied, err := fusion.Load(temporary)
	if err == nil && copied.Digest != model.Digest {
		err = fmt.Errorf("%w: %s changed while it was copied", ErrData, from)
	}
	if err != nil {
		return nil, features, nil, err
	}
	undo, err = exchange(temporary, to)
	return model, features, undo, err
}

// copyFile copies a file durably into a directory, under a name that no model has.
func copyFile(from, dir string) (name string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := os.CreateTemp(dir, ".deploy-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	err = errors.Join(err, out.Chmod(modelMode), out.Sync(), out.Close())
	if err != nil {
		os.Remove(out.Name())
		return "", err
	}
	return out.Name(), nil
}

// exchange puts file in the place of the one at path, which it keeps beside it. undo is
// nil when there was none.
func exchange(file, path string) (undo func() error, err error) {
	previous, dir := path+previousSuffix, filepath.Dir(path)
	// Not a link: the kernel lets nobody link a file of somebody else that they
	// cannot write.
	kept, err := copyFile(path, dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := os.Rename(kept, previous); err != nil {
			return nil, errors.Join(err, os.Remove(kept))
		}
		undo = func() error { return errors.Join(os.Rename(previous, path), syncDirectory(dir)) }
	}
	return undo, errors.Join(os.Rename(file, path), syncDirectory(dir))
}

// syncDirectory makes what was renamed in a directory last.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
