package fusion

import "errors"

// The two groups every error of this package about its data belongs to:
// errors.Is(err, ErrModel) says that the model file is at fault, ErrInput that
// the input is. Errors of neither group come from the operating system.
var (
	ErrModel = errors.New("bad model")
	ErrInput = errors.New("bad input")
)

// What can be wrong with a model. Files are checked in this order: the format,
// the metadata, the config, the tensors.
var (
	ErrBadFile         error = &kind{"bad file", ErrModel}          // no safetensors file
	ErrBadMetadata     error = &kind{"bad metadata", ErrModel}      // ragedge or config missing or unreadable
	ErrUnknownKey      error = &kind{"unknown key", ErrModel}       // a config key that does not exist
	ErrMissingKey      error = &kind{"missing key", ErrModel}       // a config key that must be there
	ErrBadValue        error = &kind{"bad value", ErrModel}         // a config value that is unknown or inconsistent
	ErrExtraTensor     error = &kind{"extra tensor", ErrModel}      // a tensor the config has no use for
	ErrMissingTensor   error = &kind{"missing tensor", ErrModel}    // a tensor the config asks for
	ErrMisshapenTensor error = &kind{"misshapen tensor", ErrModel}  // a shape other than the config's
	ErrBadDType        error = &kind{"bad dtype", ErrModel}         // a weight that is not F32, F16, BF16 or I8
	ErrNonFiniteTensor error = &kind{"non-finite tensor", ErrModel} // a NaN or infinite weight
	ErrNonPositiveStd  error = &kind{"non-positive std", ErrModel}  // a std that is not above 0
	ErrTooLarge        error = &kind{"too large", ErrModel}         // for the memory that is left
)

// What can be wrong with an input.
var (
	ErrUnknownInput   error = &kind{"unknown input", ErrInput}            // a tensor of no modality
	ErrBadInputDType  error = &kind{"bad input dtype", ErrInput}          // rows not F32, or lengths not I64
	ErrBadRank        error = &kind{"bad rank", ErrInput}                 // not all of rank 2, or all of rank 3
	ErrBadBatch       error = &kind{"bad batch", ErrInput}                // batches of different, no or too large size
	ErrBadLength      error = &kind{"bad length", ErrInput}               // lengths of the wrong shape or range
	ErrWrongFeatures  error = &kind{"wrong features", ErrInput}           // not the modality's features
	ErrTooManyRows    error = &kind{"too many rows", ErrInput}            // more than the modality's regions
	ErrNonFiniteInput error = &kind{"non-finite input", ErrInput}         // NaN or infinity in a valid row
	ErrAllAbsent      error = &kind{"every modality is absent", ErrInput} // nothing to fuse
	ErrAnchorAbsent   error = &kind{"anchor absent", ErrInput}            // nothing to align on
	ErrOverflow       error = &kind{"result beyond float32", ErrInput}    // finite input, but far out of range
)

// kind is a sentinel that belongs to a group.
type kind struct {
	text  string
	group error
}

func (k *kind) Error() string { return k.text }
func (k *kind) Unwrap() error { return k.group }
