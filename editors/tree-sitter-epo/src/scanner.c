// Where lines end, as src/lang/layout has it: inside ( ) and [ ] a newline is space; inside { } and outside of brackets it ends a line
// unless an operator other than `=` stands on either side of it.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

// In the order of `externals` in grammar.js.
enum Token { NEWLINE, CONTINUATION, BLANK, PAREN, PAREN_END, SQUARE, SQUARE_END, BRACE, BRACE_END, INSIDE_TEXT, RECOVERING };

enum { MOST_COMMENTS = 100 };

// The kinds of the 64 innermost open brackets, which is as deep as the language nests: the innermost in the lowest bit, 1 for ( and [.
typedef struct {
  uint64_t round;
  uint32_t depth;
} Scanner;

void *tree_sitter_epo_external_scanner_create(void) { return ts_calloc(1, sizeof(Scanner)); }

void tree_sitter_epo_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_epo_external_scanner_serialize(void *payload, char *buffer) {
  memcpy(buffer, payload, sizeof(Scanner));
  return sizeof(Scanner);
}

void tree_sitter_epo_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  memset(payload, 0, sizeof(Scanner));
  if (length == sizeof(Scanner)) memcpy(payload, buffer, length);
}

static bool in_round(const Scanner *scanner) { return scanner->depth > 0 && (scanner->round & 1); }

static void opened(Scanner *scanner, bool round) {
  scanner->round = scanner->round << 1 | round;
  scanner->depth++;
}

// Closes what is open down to the innermost bracket of this kind; one that closes nothing leaves all as it is.
static void closed(Scanner *scanner, bool round) {
  uint64_t kinds = scanner->round;
  for (uint32_t depth = scanner->depth; depth > 0; depth--, kinds >>= 1) {
    if ((kinds & 1) == round) {
      scanner->round = kinds >> 1;
      scanner->depth = depth - 1;
      return;
    }
  }
}

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static bool is_letter(int32_t sign) { return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') || sign == '_'; }

static bool is_word(int32_t sign) { return is_letter(sign) || (sign >= '0' && sign <= '9'); }

static void spaces(TSLexer *lexer) {
  while (lexer->lookahead == ' ' || lexer->lookahead == '\t' || lexer->lookahead == '\r') advance(lexer);
}

// Past spaces and newlines; the token that is read ends behind the last of these, so that of many only the first looks ahead.
static void blank_lines(TSLexer *lexer) {
  do {
    advance(lexer);
    lexer->mark_end(lexer);
    spaces(lexer);
  } while (lexer->lookahead == '\n');
}

// Past spaces, newlines and comments, of which no more are looked at than anybody writes: every newline among them does so.
static void to_next_token(TSLexer *lexer) {
  for (int comments = 0; comments < MOST_COMMENTS; spaces(lexer)) {
    if (lexer->lookahead == '#') {
      while (lexer->lookahead != '\n' && !lexer->eof(lexer)) advance(lexer);
      comments++;
    } else if (lexer->lookahead == '\n') {
      advance(lexer);
    } else {
      return;
    }
  }
}

// Reads a word, of which the first letters that fit are kept.
static void word(TSLexer *lexer, char *letters, unsigned size) {
  unsigned length = 0;
  for (; is_word(lexer->lookahead); advance(lexer)) {
    if (length + 1 < size) letters[length++] = (char)lexer->lookahead;
  }
  letters[length] = 0;
}

static bool is_infix_word(const char *letters) { return !strcmp(letters, "and") || !strcmp(letters, "or"); }

// Whether the next token, which begins with these letters, is an operator other than `=` and `not`.
static bool operator_follows(TSLexer *lexer, const char *letters) {
  if (letters[0]) return is_infix_word(letters);
  switch (lexer->lookahead) {
    case '+': case '-': case '*': case '/': case '^': case '<': case '>':
      return true;
    case '=': case '!':
      advance(lexer);
      return lexer->lookahead == '=';
    case '.':
      advance(lexer);
      return lexer->lookahead == '.';
    default:
      return false;
  }
}

// Whether what follows can only be a line of the file, so that brackets which are open here were forgotten.
static bool line_of_file_follows(TSLexer *lexer, const char *letters) {
  bool pipeline = !strcmp(letters, "pipeline"), import = !strcmp(letters, "import");
  if (!pipeline && !import) return false;
  spaces(lexer);
  if (import) return lexer->lookahead == '"';
  char name[16] = "";
  if (is_letter(lexer->lookahead)) word(lexer, name, sizeof name);
  return name[0] && !is_infix_word(name);
}

// While the parser gets over a mistake any token is asked for, also in the middle of a text: a newline is then no space that nobody need see.
static bool newline(Scanner *scanner, TSLexer *lexer, const bool *valid) {
  blank_lines(lexer);
  to_next_token(lexer);
  char letters[16] = "";
  if (is_letter(lexer->lookahead)) word(lexer, letters, sizeof letters);
  if (in_round(scanner)) {
    if (!line_of_file_follows(lexer, letters)) {
      lexer->result_symbol = BLANK;
      return !valid[RECOVERING];
    }
    scanner->depth = 0;
    scanner->round = 0;
  }
  bool goes_on = operator_follows(lexer, letters);
  lexer->result_symbol = goes_on ? BLANK : NEWLINE;
  if (valid[RECOVERING]) return !goes_on;
  if (valid[CONTINUATION]) lexer->result_symbol = CONTINUATION;
  return true;
}

bool tree_sitter_epo_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  Scanner *scanner = payload;
  if (valid[INSIDE_TEXT] && !valid[RECOVERING]) return false;
  while (lexer->lookahead == ' ' || lexer->lookahead == '\t' || lexer->lookahead == '\r') lexer->advance(lexer, true);
  enum Token bracket;
  switch (lexer->lookahead) {
    case '\n': return newline(scanner, lexer, valid);
    case '(': bracket = PAREN; break;
    case ')': bracket = PAREN_END; break;
    case '[': bracket = SQUARE; break;
    case ']': bracket = SQUARE_END; break;
    case '{': bracket = BRACE; break;
    case '}': bracket = BRACE_END; break;
    default: return false;
  }
  if (!valid[bracket]) return false;
  bool round = bracket != BRACE && bracket != BRACE_END;
  bool opens = bracket == PAREN || bracket == SQUARE || bracket == BRACE;
  if (opens) opened(scanner, round);
  else closed(scanner, round);
  advance(lexer);
  lexer->mark_end(lexer);
  lexer->result_symbol = bracket;
  return true;
}
