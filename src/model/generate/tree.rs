//! The prefix tree of a request's options.

use crate::model::ModelError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Options as token sequences, each with an end token behind it, so that none is a prefix of another.
#[derive(Debug)]
pub(crate) struct PrefixTree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// Ascending.
    tokens: Arc<[u32]>,
    children: Vec<usize>,
    /// Set on leaves: which option ends here (the first of several equal ones).
    option: usize,
}

impl PrefixTree {
    pub(crate) fn new(options: &[Vec<u32>], end: u32) -> Result<PrefixTree, ModelError> {
        if options.is_empty() {
            return Err(ModelError::input("there is no option to choose from"));
        }
        let mut growing: Vec<(BTreeMap<u32, usize>, usize)> = vec![Default::default()];
        for (index, option) in options.iter().enumerate() {
            if option.contains(&end) {
                return Err(ModelError::input(format!("option {index} contains the end token {end}")));
            }
            let mut node = 0;
            for token in option.iter().chain([&end]) {
                let fresh = growing.len();
                let child = *growing[node].0.entry(*token).or_insert(fresh);
                if child == fresh {
                    growing.push((BTreeMap::new(), index));
                }
                node = child;
            }
        }
        let node = |(children, option): (BTreeMap<u32, usize>, usize)| Node {
            tokens: children.keys().copied().collect(),
            children: children.into_values().collect(),
            option,
        };
        Ok(PrefixTree { nodes: growing.into_iter().map(node).collect() })
    }

    /// The tokens that may follow, ascending; empty at a leaf.
    pub(crate) fn tokens(&self, node: usize) -> &Arc<[u32]> {
        &self.nodes[node].tokens
    }

    pub(crate) fn child(&self, node: usize, index: usize) -> usize {
        self.nodes[node].children[index]
    }

    pub(crate) fn option(&self, leaf: usize) -> usize {
        self.nodes[leaf].option
    }

    /// Follows forced tokens from `node`, adding them to `tokens`, to a place with a choice or to a leaf.
    pub(crate) fn follow(&self, mut node: usize, tokens: &mut Vec<u32>) -> usize {
        while let ([token], [child]) = (&*self.nodes[node].tokens, self.nodes[node].children.as_slice()) {
            tokens.push(*token);
            node = *child;
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forced_tokens_are_followed_and_prefixes_told_apart() {
        let tree = PrefixTree::new(&[vec![5, 6], vec![5, 6, 7], vec![5, 8]], 1).unwrap();
        let mut tokens = Vec::new();
        let node = tree.follow(0, &mut tokens);
        assert_eq!(tokens, [5]);
        assert_eq!(**tree.tokens(node), [6, 8]);
        let node = tree.follow(tree.child(node, 0), &mut tokens);
        assert_eq!(**tree.tokens(node), [1, 7]);
        let mut end = Vec::new();
        assert_eq!(tree.option(tree.follow(tree.child(node, 1), &mut end)), 1);
        assert_eq!(end, [1]);
        assert_eq!(tree.option(tree.child(node, 0)), 0);
    }

    #[test]
    fn equal_options_count_once_and_bad_ones_are_named() {
        let tree = PrefixTree::new(&[vec![5], vec![5]], 1).unwrap();
        let mut tokens = Vec::new();
        assert_eq!(tree.option(tree.follow(0, &mut tokens)), 0);
        assert_eq!(tokens, [5, 1]);
        assert!(PrefixTree::new(&[], 1).is_err());
        assert_eq!(PrefixTree::new(&[vec![2], vec![3, 1]], 1).unwrap_err().to_string(), "option 1 contains the end token 1");
    }
}
