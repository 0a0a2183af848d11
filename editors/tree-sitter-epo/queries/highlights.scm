; What is drawn how. Names of captures are those that Neovim, Helix, Zed and the tree-sitter program share; where they differ, a node has both.

(comment) @comment

; Words, where they are words and not names
(import ["import" "as"] @keyword)
(function "fn" @keyword)
(prompt "prompt" @keyword)
(removal "without" @keyword)
(pipeline ["pipeline" "from"] @keyword)
["and" "or" "not"] @keyword.operator

; Names that a line gives
(import alias: (name) @module @namespace)
(function name: (name) @function)
(prompt name: (name) @constant)
(pipeline name: (name) @type)
(pipeline parent: (path (name) @type))
(block name: (name) @keyword)
(assignment path: (path (name) @property @variable.member))
(removal path: (path (name) @property @variable.member))
(parameter name: (name) @variable.parameter)
(named_argument name: (name) @variable.parameter)

; Values
(component kind: (path (name) @type))
(call function: (path (name) @function))
(boolean) @constant.builtin @boolean
(number) @constant.numeric @number
(text) @string
(escape) @string.escape
(placeholder) @string.special

["==" "!=" "<" "<=" ">" ">=" ".." "+" "-" "*" "/" "^" "="] @operator
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
["," "."] @punctuation.delimiter
