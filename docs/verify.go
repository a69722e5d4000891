// Verifies a ccgate ledger folder with Go's own transparency-log library.
//
//	go mod init verify && go get golang.org/x/mod && go run verify.go [-allowed-signers FILE] [-trusted CHECKPOINT] LEDGER
//
// Written from ledger-format.md, sharing no code with ccgate. Checks every entry, copy, blob and
// tile, the root, each kept checkpoint and both of its signatures. Exit code 0: everything fits;
// 5: something does not.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height    = 8
	width     = 1 << height
	namespace = "ccgate-ledger"
	reference = "https://ccgate.dev/blob-reference/v1"
)

var envelope = regexp.MustCompile(`^\{"payload":"([A-Za-z0-9+/=]+)","payloadType":"application/vnd\.in-toto\+json","signatures":\[\]\}$`)

var onlyNamespaces = regexp.MustCompile(`^namespaces="([^"]*)"$`)

type broken string

func (b broken) Error() string { return string(b) }

func demand(holds bool, format string, values ...any) {
	if !holds {
		panic(broken(fmt.Sprintf(format, values...)))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(broken(err.Error()))
	}
	return value
}

// The files of the folder. What is left in rest at the end belongs to nothing.
type folder struct {
	path string
	rest map[string]bool
}

func open(path string) folder {
	rest := map[string]bool{}
	err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(path, file)
		rest[filepath.ToSlash(name)] = true
		return err
	})
	demand(err == nil, "%v", err)
	return folder{path, rest}
}

func (f folder) read(name string) []byte {
	delete(f.rest, name)
	return must(os.ReadFile(filepath.Join(f.path, filepath.FromSlash(name))))
}

// Where a tile or bundle lies: C2SP tlog-tiles names no height, x/mod does.
func place(level string, index int64, count int) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	if count < width {
		name += fmt.Sprintf(".p/%d", count)
	}
	return "log/tile/" + level + "/" + name
}

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
	signed bool
}

func parse(text []byte) checkpoint {
	head, signatures, signed := strings.Cut(string(text), "\n\n")
	if signed {
		head += "\n"
		demand(strings.HasPrefix(signatures, "\u2014 "), "a checkpoint with a bad signature line")
	}
	lines := strings.Split(head, "\n")
	demand(len(lines) == 4 && lines[3] == "", "a checkpoint has three lines")
	size := must(strconv.ParseInt(lines[1], 10, 64))
	root := must(base64.StdEncoding.DecodeString(lines[2]))
	same := strconv.FormatInt(size, 10) == lines[1] && base64.StdEncoding.EncodeToString(root) == lines[2]
	demand(size >= 0 && len(root) == tlog.HashSize && same, "a checkpoint is not in its only spelling")
	return checkpoint{lines[0], size, tlog.Hash(*(*[32]byte)(root)), signed}
}

// Every hash that the tree stores, in the order of x/mod.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is not known yet", index)
		}
		found[i] = s[index]
	}
	return found, nil
}

func (f folder) entries(size int64) (hashes stored) {
	ids := map[string]bool{}
	for number := int64(0); number < size; {
		count := width
		if size-number < width {
			count = int(size - number)
		}
		data := f.read(place("entries", number/width, count))
		for ; count > 0; count-- {
			demand(len(data) >= 2, "entry %d is cut off", number)
			length := int(binary.BigEndian.Uint16(data))
			demand(length > 0 && len(data) >= 2+length, "entry %d is cut off", number)
			leaf := data[2 : 2+length]
			id := f.entry(number, leaf)
			demand(!ids[id], "%s is sealed twice", id)
			ids[id] = true
			hashes = append(hashes, must(tlog.StoredHashes(number, leaf, hashes))...)
			data = data[2+length:]
			number++
		}
		demand(len(data) == 0, "bytes after entry %d", number-1)
	}
	return hashes
}

func (f folder) entry(number int64, leaf []byte) string {
	told := read(leaf)
	demand(told.problem == "", "entry %d %s", number, told.problem)
	name := "records/" + told.month + "/" + told.id + ".json"
	demand(bytes.Equal(f.read(name), leaf), "entry %d: %s differs", number, name)
	if told.reference {
		blob := f.read("blobs/" + told.digest)
		digest := sha256.Sum256(blob)
		same := hex.EncodeToString(digest[:]) == told.digest && len(blob) == told.size
		demand(same, "entry %d: its blob differs", number)
	}
	return told.id
}

// What the bytes of an entry alone tell.
type record struct {
	problem   string
	id, month string
	reference bool
	digest    string
	size      int
}

func read(leaf []byte) record {
	match := envelope.FindSubmatch(leaf)
	if match == nil {
		return record{problem: "is no envelope"}
	}
	payload, err := base64.StdEncoding.Strict().DecodeString(string(match[1]))
	if err != nil {
		return record{problem: "is not in base64"}
	}
	var statement struct {
		Predicate     json.RawMessage `json:"predicate"`
		PredicateType string          `json:"predicateType"`
	}
	if json.Unmarshal(payload, &statement) != nil {
		return record{problem: "is no statement"}
	}
	var predicate struct {
		ObservedAt any `json:"observed_at"`
		Blob       struct {
			Digest struct{ Sha256 string }
			Size   int
		}
	}
	if json.Unmarshal(statement.Predicate, &predicate) != nil {
		return record{problem: "has no predicate"}
	}
	month := "0000/00"
	if told, ok := predicate.ObservedAt.(string); ok {
		if at, err := time.Parse(time.RFC3339Nano, told); err == nil {
			month = at.UTC().Format("2006/01")
		}
	}
	digest := sha256.Sum256(payload)
	id := "rec_" + hex.EncodeToString(digest[:])[:32]
	return record{"", id, month, statement.PredicateType == reference, predicate.Blob.Digest.Sha256, predicate.Blob.Size}
}

func (f folder) tiles(size int64, hashes stored) {
	for level := 0; size > 0; level, size = level+1, size>>height {
		for index := int64(0); index*width < size; index++ {
			count := width
			if size-index*width < width {
				count = int(size - index*width)
			}
			tile := tlog.Tile{H: height, L: level, N: index, W: count}
			name := place(strconv.Itoa(level), index, count)
			data := must(tlog.ReadTileData(tile, hashes))
			demand(bytes.Equal(f.read(name), data), "%s does not fit the entries", name)
		}
	}
}

// Reads an SSH string: four bytes of length, then the bytes.
func field(data []byte) (value, rest []byte) {
	demand(len(data) >= 4, "an SSH signature is cut off")
	length := int(binary.BigEndian.Uint32(data))
	demand(length >= 0 && len(data)-4 >= length, "an SSH signature is cut off")
	return data[4 : 4+length], data[4+length:]
}

func framed(values ...[]byte) (data []byte) {
	for _, value := range values {
		data = binary.BigEndian.AppendUint32(data, uint32(len(value)))
		data = append(data, value...)
	}
	return data
}

// The key that made an SSHSIG over the text. One that is not spelt as OpenSSH spells it is refused.
func signer(armoured, text []byte) ed25519.PublicKey {
	body := strings.NewReplacer("-----BEGIN SSH SIGNATURE-----", "", "-----END SSH SIGNATURE-----", "", "\n", "").Replace(string(armoured))
	data := must(base64.StdEncoding.DecodeString(body))
	demand(len(data) > 10 && string(data[:10]) == "SSHSIG\x00\x00\x00\x01", "no SSH signature")
	blob, rest := field(data[10:])
	_, rest = field(rest)
	_, rest = field(rest)
	_, rest = field(rest)
	signature, _ := field(rest)
	kind, key := field(blob)
	key, _ = field(key)
	_, raw := field(signature)
	raw, _ = field(raw)
	demand(string(kind) == "ssh-ed25519" && len(key) == ed25519.PublicKeySize, "a signature by no Ed25519 key")
	again := append([]byte("SSHSIG\x00\x00\x00\x01"), framed(framed(kind, key), []byte(namespace), nil, []byte("sha512"), framed(kind, raw))...)
	spelt := "-----BEGIN SSH SIGNATURE-----\n"
	for rest := base64.StdEncoding.EncodeToString(again); rest != ""; {
		line := rest
		if len(line) > 70 {
			line = line[:70]
		}
		spelt, rest = spelt+line+"\n", rest[len(line):]
	}
	demand(spelt+"-----END SSH SIGNATURE-----\n" == string(armoured), "a signature that is not in its only spelling")
	digest := sha512.Sum512(text)
	message := append([]byte("SSHSIG"), framed([]byte(namespace), nil, []byte("sha512"), digest[:])...)
	demand(ed25519.Verify(key, message, raw), "a signature does not fit")
	return key
}

// Whether a line of an allowed_signers file lets the key sign this ledger. Lines with another option than
// namespaces, such as one that ends a key's time, are not understood here and let nobody sign.
func maySign(signers, origin, blob string) bool {
	for _, text := range strings.Split(signers, "\n") {
		words := strings.Fields(text)
		if len(words) < 3 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if found := onlyNamespaces.FindStringSubmatch(words[1]); found != nil && contains(strings.Split(found[1], ","), namespace) {
			words = append(words[:1], words[2:]...)
		}
		if len(words) >= 3 && words[1] == "ssh-ed25519" && words[2] == blob && namesAre(words[0], origin) {
			return true
		}
	}
	return false
}

// Patterns as OpenSSH has them, divided by commas; one that excludes is not understood here.
func namesAre(patterns, origin string) bool {
	if strings.Contains(patterns, "!") {
		return false
	}
	for _, pattern := range strings.Split(patterns, ",") {
		spelt := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
		if regexp.MustCompile("^" + spelt + "$").MatchString(origin) {
			return true
		}
	}
	return false
}

func contains(list []string, wanted string) bool {
	for _, one := range list {
		if one == wanted {
			return true
		}
	}
	return false
}

func line(origin string, key ed25519.PublicKey) string {
	blob := base64.StdEncoding.EncodeToString(framed([]byte("ssh-ed25519"), key))
	return fmt.Sprintf("%s namespaces=\"%s\" ssh-ed25519 %s\n", origin, namespace, blob)
}

// The sizes whose checkpoints were signed, and the lines of the keys in order of first use.
func (f folder) anchors(head checkpoint, text []byte, hashes stored) (sizes []int64, keys []string) {
	for name := range f.rest {
		if strings.HasPrefix(name, "anchors/") && strings.HasSuffix(name, ".note") {
			number := strings.TrimSuffix(strings.TrimPrefix(name, "anchors/"), ".note")
			sizes = append(sizes, must(strconv.ParseInt(number, 10, 64)))
		}
	}
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] < sizes[j] })
	seen := map[string]bool{}
	for _, size := range sizes {
		demand(size <= head.size, "a checkpoint of %d records was signed: the tail is cut off", size)
		kept := f.read(fmt.Sprintf("anchors/%d.note", size))
		was := parse(kept)
		root := must(tlog.TreeHash(size, hashes))
		demand(was.origin == head.origin && was.size == size && was.root == root, "anchors/%d.note vouches for other entries", size)
		key := signer(f.read(fmt.Sprintf("anchors/%d.sig", size)), kept)
		verifier := must(note.NewVerifier(must(note.NewEd25519VerifierKey(was.origin, key))))
		opened := must(note.Open(kept, note.VerifierList(verifier)))
		demand(len(opened.Sigs) == 1 && len(opened.UnverifiedSigs) == 0, "anchors/%d.note has other signatures", size)
		demand(size != head.size || bytes.Equal(kept, text), "the checkpoint is not the one that was signed")
		if text := line(head.origin, key); !seen[text] {
			seen[text] = true
			keys = append(keys, text)
		}
	}
	demand(!head.signed || len(sizes) > 0 && sizes[len(sizes)-1] == head.size, "the checkpoint is signed, but its anchor is missing")
	return sizes, keys
}

// How many time-stamps there are. Each has to be over the note of its size; openssl verifies them.
func (f folder) stamps(sizes []int64) int {
	count := 0
	for name := range f.rest {
		if !strings.HasPrefix(name, "anchors/") || !strings.HasSuffix(name, ".tsr") {
			continue
		}
		number := must(strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(name, "anchors/"), ".tsr"), 10, 64))
		at := sort.Search(len(sizes), func(i int) bool { return sizes[i] >= number })
		demand(at < len(sizes) && sizes[at] == number, "%s is over no note", name)
		digest := sha256.Sum256(f.read(fmt.Sprintf("anchors/%d.note", number)))
		demand(bytes.Contains(f.read(fmt.Sprintf("anchors/%d.tsr", number)), append([]byte{4, 32}, digest[:]...)), "%s is over another note", name)
		count++
	}
	return count
}

// How many Sigstore bundles there are. Each has to say that it is over the note of its size; cosign verifies them.
func (f folder) bundles(sizes []int64) int {
	count := 0
	for name := range f.rest {
		if !strings.HasPrefix(name, "anchors/") || !strings.HasSuffix(name, ".sigstore.json") {
			continue
		}
		number := must(strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(name, "anchors/"), ".sigstore.json"), 10, 64))
		at := sort.Search(len(sizes), func(i int) bool { return sizes[i] >= number })
		demand(at < len(sizes) && sizes[at] == number, "%s is over no note", name)
		digest := sha256.Sum256(f.read(fmt.Sprintf("anchors/%d.note", number)))
		demand(speaksOf(f.read(fmt.Sprintf("anchors/%d.sigstore.json", number)), digest), "%s is over another note", name)
		count++
	}
	return count
}

func speaksOf(text []byte, digest [32]byte) bool {
	var bundle struct {
		MessageSignature *struct {
			MessageDigest struct{ Digest []byte }
		}
		DsseEnvelope struct{ Payload []byte }
	}
	demand(json.Unmarshal(text, &bundle) == nil, "a Sigstore bundle is no bundle")
	if bundle.MessageSignature != nil {
		return bytes.Equal(bundle.MessageSignature.MessageDigest.Digest, digest[:])
	}
	var statement struct {
		Subject []struct{ Digest map[string]string }
	}
	demand(json.Unmarshal(bundle.DsseEnvelope.Payload, &statement) == nil, "a Sigstore bundle holds no statement")
	for _, subject := range statement.Subject {
		if subject.Digest["sha256"] == hex.EncodeToString(digest[:]) {
			return true
		}
	}
	return false
}

func verify(path, allowed, trusted string) {
	f := open(path)
	text := f.read("log/checkpoint")
	head := parse(text)
	demand(string(f.read("FORMAT")) == "ccgate.ledger/v1\n"+head.origin+"\n", "FORMAT and the checkpoint differ")
	if f.rest["journal"] {
		for _, name := range strings.Split(string(f.read("journal")), "\n")[1:] {
			delete(f.rest, name)
		}
		fmt.Println("note: an append was interrupted; its files are not looked at")
	}
	hashes := f.entries(head.size)
	root := must(tlog.TreeHash(head.size, hashes))
	demand(root == head.root, "the entries do not give the root")
	f.tiles(head.size, hashes)
	sizes, keys := f.anchors(head, text, hashes)
	if trusted != "" {
		old := parse(must(os.ReadFile(trusted)))
		same := old.origin == head.origin && old.size <= head.size && must(tlog.TreeHash(old.size, hashes)) == old.root
		demand(same, "rolled back or rewritten since the trusted checkpoint of %d records", old.size)
	}
	if f.rest["keys/allowed_signers"] || len(keys) > 0 {
		demand(string(f.read("keys/allowed_signers")) == strings.Join(keys, ""), "keys/allowed_signers does not list exactly the keys that signed")
	}
	stamps := f.stamps(sizes)
	bundles := f.bundles(sizes)
	if f.rest["lock"] {
		demand(len(f.read("lock")) == 0, "the file lock is not empty")
	}
	for name := range f.rest {
		demand(strings.HasPrefix(name, "tmp/"), "%s belongs to no record", name)
	}
	fmt.Printf("%s: %d records fit, root %s\n", head.origin, head.size, hex.EncodeToString(head.root[:]))
	tell := func() {
		if stamps > 0 {
			fmt.Printf("time-stamps: %d over their notes; NOT VERIFIED here, `openssl ts -verify` says whether they hold\n", stamps)
		}
		if bundles > 0 {
			fmt.Printf("Sigstore bundles: %d over their notes; NOT VERIFIED here, `cosign` says whether they hold\n", bundles)
		}
	}
	if len(sizes) == 0 && allowed == "" {
		fmt.Println("signatures: none; nothing anchors this ledger but a checkpoint kept elsewhere")
		tell()
		return
	}
	if allowed == "" {
		fmt.Printf("signatures: %d fit, by keys that only this ledger names\n", len(sizes))
		tell()
		return
	}
	signers := string(must(os.ReadFile(allowed)))
	for _, key := range keys {
		blob := strings.Fields(key[strings.Index(key, "ssh-ed25519 "):])[1]
		demand(maySign(signers, head.origin, blob), "signed by a key that %s does not name for %s", allowed, head.origin)
	}
	demand(len(sizes) > 0 && sizes[len(sizes)-1] == head.size, "the last records are not signed")
	fmt.Printf("signatures: %d fit\n", len(sizes))
	tell()
}

func main() {
	defer func() {
		if what := recover(); what != nil {
			fmt.Fprintf(os.Stderr, "BROKEN: %q\n", fmt.Sprint(what))
			os.Exit(5)
		}
	}()
	allowed := flag.String("allowed-signers", "", "keys that may sign, from somebody else than the ledger's owner")
	trusted := flag.String("trusted", "", "a checkpoint that was kept elsewhere")
	flag.Parse()
	demand(flag.NArg() == 1, "usage: verify [-allowed-signers FILE] [-trusted CHECKPOINT] LEDGER")
	verify(flag.Arg(0), *allowed, *trusted)
}
