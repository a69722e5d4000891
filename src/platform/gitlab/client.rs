//! The client for GitLab. (stub)

use super::super::context::Place;
use super::super::transport::{
    Answer, GraphqlAnswer, GraphqlError, Listing, NoAnswer, Token, Transport,
};

#[derive(Clone)]
pub(super) struct Client {
    base: String,
    graphql: String,
    token: Token,
    transport: Transport,
}

impl Client {
    pub(super) fn new(place: &Place, token: &Token, transport: &Transport) -> anyhow::Result<Self> {
        Ok(Self {
            base: place.api.as_str().trim_end_matches('/').to_owned(),
            graphql: place.graphql.to_string(),
            token: token.clone(),
            transport: transport.clone(),
        })
    }
    pub(super) async fn get(&self, path: &str) -> Result<Answer, NoAnswer> {
        let url = format!("{}{path}", self.base);
        self.transport.send("GET", &url, &self.token, None).await
    }
    pub(super) async fn get_all(
        &self,
        path: &str,
        _envelope: Option<&str>,
    ) -> Result<Listing, NoAnswer> {
        let mut listing = Listing {
            items: vec![],
            sources: vec![],
            endpoint: format!("GET {path}"),
        };
        let mut page = "1".to_owned();
        loop {
            let sep = if path.contains('?') { '&' } else { '?' };
            let answer = self
                .get(&format!("{path}{sep}per_page=100&page={page}"))
                .await?;
            let items: Vec<serde_json::Value> = answer.json().unwrap_or_default();
            listing.items.extend(items);
            listing.sources.push(answer.source.clone());
            match answer.header("x-next-page") {
                Some(next) if !next.is_empty() => page = next.to_owned(),
                _ => return Ok(listing),
            }
        }
    }
    pub(super) async fn graphql(
        &self,
        operation: &str,
        query: &str,
        variables: serde_json::Value,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        let body = serde_json::json!({"query": query, "variables": variables}).to_string();
        let answer = self
            .transport
            .send("POST", &self.graphql, &self.token, Some(body))
            .await?;
        let value: serde_json::Value = answer.json().unwrap_or_default();
        Ok(GraphqlAnswer {
            status: answer.status,
            data: value.get("data").cloned(),
            errors: value
                .get("errors")
                .and_then(|e| e.as_array())
                .map(|list| {
                    list.iter()
                        .map(|e| GraphqlError {
                            message: e["message"].as_str().unwrap_or_default().to_owned(),
                            kind: None,
                            path: vec![],
                        })
                        .collect()
                })
                .unwrap_or_default(),
            source: answer.source,
            endpoint: format!("POST /graphql#{operation}"),
            points: None,
        })
    }
}
